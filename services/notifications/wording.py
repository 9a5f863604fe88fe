"""What does a message say?

One file for each template and language: the first line is the subject, the rest the body. The words are
neutral (no drug, diagnosis or kind of clinic); only with `detail_opt_in` a template may say more. The result
is plain text, so nothing is HTML-escaped; values are flattened to one line so that none can forge another.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinical.crisis_lines import CRISIS_LINE, EMERGENCY_NUMBER, TEXT_LINE
from services.notifications.errors import MessageInvalid
from services.notifications.interface import ChannelName, Contact, TemplateName
from services.notifications.kinds import ASKS_FOR_A_REPLY, TEMPLATE_PARAMETERS
from services.notifications.language import Language, language_for
from services.notifications.local_time import local_time

LONGEST_VALUE = 300
LONGEST_OF = {"said": 600}


@dataclass(frozen=True)
class Words:
    language: Language
    subject: str
    body: str


@dataclass(frozen=True)
class HelpLines:
    """Whom to reach at once, by country: crisis line, emergency number, and a line for texts if there is one."""

    crisis_line: str = CRISIS_LINE
    emergency_number: str = EMERGENCY_NUMBER
    text_line: str = TEXT_LINE


UNITED_STATES = HelpLines()


class Wording:
    def __init__(self, help_lines: HelpLines) -> None:
        self._help = help_lines
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  # plain text: no browser reads it
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def words(self, template: TemplateName, contact: Contact, parameters: dict[str, str]) -> Words:
        """Subject and body for this person, or MessageInvalid naming every bad parameter."""
        language = language_for(contact.language)
        faults = parameter_faults(template, parameters)
        if faults:
            raise MessageInvalid(faults)
        values = dict.fromkeys(TEMPLATE_PARAMETERS[template].optional, "") | {
            name: _shown(name, value, contact.time_zone, language) for name, value in parameters.items()
        }
        text = self._templates.get_template(f"{language}/{template}.txt").render(
            name=_one_line(contact.name),
            detail=contact.detail_opt_in,
            crisis_line=self._help.crisis_line,
            emergency_number=self._help.emergency_number,
            text_line=self._help.text_line,
            **values,
        )
        subject, _, body = text.strip().partition("\n")
        return Words(language=language, subject=subject.strip(), body=body.strip() + "\n")

    def how_to_reply(self, template: TemplateName, channel: ChannelName, language: Language) -> str:
        """The line that only a text message has, because only there an answer is read."""
        if template not in ASKS_FOR_A_REPLY or channel is not ChannelName.SMS:
            return ""
        return self._templates.get_template(f"{language}/_reply.txt").render().strip() + "\n"


def parameter_faults(template: TemplateName, parameters: dict[str, str]) -> tuple[str, ...]:
    """What is missing, unknown or malformed, by name and without the values."""
    takes = TEMPLATE_PARAMETERS[template]
    missing = [f"{name} is missing" for name in sorted(takes.required - parameters.keys())]
    unknown = [f"{name} is unknown" for name in sorted(parameters.keys() - takes.required - takes.optional)]
    malformed = [
        f"{name} is malformed" for name, value in sorted(parameters.items()) if not _well_formed(name, value)
    ]
    return (*missing, *unknown, *malformed)


def _well_formed(name: str, value: str) -> bool:
    if len(value) > LONGEST_OF.get(name, LONGEST_VALUE):
        return False
    if name == "link":
        return urlsplit(value).scheme in {"http", "https"}
    if not name.endswith("_at"):
        return True
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _shown(name: str, value: str, zone: str, language: Language) -> str:
    if name.endswith("_at"):
        return local_time(datetime.fromisoformat(value), zone, language)
    return _one_line(value)


def _one_line(value: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())
