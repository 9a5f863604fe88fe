"""How is a downtime sheet printed? One HTML page, A4 or Letter, without scripts, network or other files.

Who the patient is stands on it only if the caller says so; else two lines are left to be written by hand.
"""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinical.downtime_sheet import DowntimeSheet

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Identifiers:
    """The two identifiers of a person, for a reader who may see them."""

    name: str
    birth_date: str


@dataclass(frozen=True)
class HelpNumbers:
    """Whom to call at once, in this country."""

    emergency: str = "911"
    crisis: str = "988"
    text: str = "741741"  # empty where there is none


def page(sheet: DowntimeSheet, numbers: HelpNumbers, person: Identifiers | None = None) -> str:
    """The sheet as HTML."""
    template = _pages.get_template("downtime-sheet.html")
    rows = [*sheet.reading_minutes, *([None] * sheet.blank_readings)]
    return template.render(
        sheet=sheet, hash=sheet.content_hash[:12], rows=rows, numbers=numbers, person=person
    )
