"""What messages say, and what they never say."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.errors import MessageInvalid
from services.notifications.interface import TemplateName
from services.notifications.kinds import TEMPLATE_PARAMETERS
from services.notifications.language import Language, language_for
from services.notifications.wording import HelpLines, Wording, Words
from tests.services.notifications.builders import a_contact

# Drugs, diagnoses, kinds of care, in both languages.
TELLING = re.compile(
    r"ketamin|spravato|infusi|injection|inyecci|nasal|spray|dose|dosis|dosing|sedat|sedac|trip"
    r"|depress|depresi|anxiety|ansiedad|ptsd|tept|trauma|suicid|mental|mood|ánimo"
    r"|psych|psic|psiq|therap|terap|treatment|tratamiento|medication|medicamento|session|sesión",
    re.IGNORECASE,
)
VALUES = {
    "said": "A person will read your message.",
    "starts_at": "2026-03-03T14:00:00+00:00",
    "previous_starts_at": "2026-03-02T14:00:00+00:00",
    "due_at": "2026-03-04T14:00:00Z",
    "next_contact_at": "2026-03-04T15:00:00+00:00",
    "link": "https://example.org/q/7",
    "clinic_phone": "+1 202 555 0100",
    "reference": "R7",
    "code": "012345",
}
SHOWN = {
    Language.ENGLISH: {
        "starts_at": "March 3 at 9:00 AM",
        "previous_starts_at": "March 2 at 9:00 AM",
        "due_at": "March 4 at 9:00 AM",
        "next_contact_at": "March 4 at 10:00 AM",
    },
    Language.SPANISH: {
        "starts_at": "martes 3 de marzo a las 9:00",
        "previous_starts_at": "lunes 2 de marzo a las 9:00",
        "due_at": "miércoles 4 de marzo a las 9:00",
        "next_contact_at": "miércoles 4 de marzo a las 10:00",
    },
}
WORDING = Wording(HelpLines())
NO_CARE = (TemplateName.STAFF_PAGE, TemplateName.CONTACT_CODE, TemplateName.MESSAGE_ANSWER)
TO_PATIENTS = [one for one in TemplateName if one not in NO_CARE]
"""A code goes to an address of which nobody knows whose it is: it says nothing else. Answers are as neutral."""
EVERY = [*product(TemplateName, Language, [True, False])]


def words(template: TemplateName, language: str, *, full: bool, detail: bool = False) -> Words:
    takes = TEMPLATE_PARAMETERS[template]
    names = takes.required | (takes.optional if full else frozenset())
    contact = a_contact(language=language, detail_opt_in=detail)
    return WORDING.words(template, contact, {name: VALUES[name] for name in names})


@pytest.mark.parametrize(("template", "language", "full"), EVERY)
def test_a_neutral_message_tells_a_bystander_nothing(
    template: TemplateName, language: Language, full: bool
) -> None:
    said = words(template, language, full=full)
    assert TELLING.findall(said.subject + said.body) == []


@pytest.mark.parametrize(("template", "language"), [*product(TemplateName, Language)])
def test_a_shared_family_phone_shows_nothing_of_the_care(template: TemplateName, language: Language) -> None:
    """H9: nobody asked for details, so whoever picks the phone up learns that there is an appointment, no more."""
    contact = a_contact(language=language)
    takes = TEMPLATE_PARAMETERS[template]
    said = WORDING.words(template, contact, {name: VALUES[name] for name in takes.required | takes.optional})
    assert not contact.detail_opt_in
    assert TELLING.findall(said.subject + said.body) == []


@pytest.mark.parametrize(("template", "language", "full"), EVERY)
def test_every_message_is_whole(template: TemplateName, language: Language, full: bool) -> None:
    for detail in (True, False):
        said = words(template, language, full=full, detail=detail)
        assert said.subject
        assert "\n" not in said.subject
        assert not re.search(r"[{}%]|\n\n\n|None|  ", said.body)
        assert said.language is language


@pytest.mark.parametrize(("template", "language"), [*product(TemplateName, Language)])
def test_only_who_agreed_reads_about_the_treatment(template: TemplateName, language: Language) -> None:
    detailed = words(template, language, full=True, detail=True)
    if template in TO_PATIENTS:
        assert TELLING.search(detailed.body)
    assert not TELLING.search(detailed.subject)  # a subject stands on a locked screen


@pytest.mark.parametrize(("template", "language"), [*product(TemplateName, Language)])
def test_every_parameter_is_used(template: TemplateName, language: Language) -> None:
    takes = TEMPLATE_PARAMETERS[template]
    full = words(template, language, full=True).body
    for name in takes.required | takes.optional:
        is_time = name.endswith("_at")
        assert (SHOWN[language][name] if is_time else VALUES[name]) in full


@pytest.mark.parametrize("language", Language)
def test_after_a_visit_the_way_home_and_help_are_said(language: Language) -> None:
    said = words(TemplateName.AFTER_VISIT, language, full=True).body
    drive, sleep = {
        Language.ENGLISH: ("Do not drive", "restful sleep"),
        Language.SPANISH: ("No conduzca", "sueño reparador"),
    }[language]
    for part in (drive, sleep, "988", "911", "+1 202 555 0100"):
        assert part in said


def test_the_crisis_line_is_the_countrys_own() -> None:
    abroad = Wording(HelpLines(crisis_line="116 123", emergency_number="112", text_line=""))
    said = abroad.words(TemplateName.FOLLOW_UP_DUE, a_contact(), {})
    assert "116 123" in said.body
    assert "112" in said.body
    assert not re.search("988|911|741741", said.body)


@pytest.mark.parametrize(("template", "language", "full"), [*product(TO_PATIENTS, Language, [True, False])])
def test_every_message_to_a_patient_says_who_helps_at_once_and_that_nobody_watches_forms(
    template: TemplateName, language: Language, full: bool
) -> None:
    said = words(template, language, full=full).body
    numbers = re.findall(r"\b(988|741741|911)\b", said)
    assert numbers == ["988", "741741", "911"]
    unwatched = {
        Language.ENGLISH: "not monitored in real time",
        Language.SPANISH: "Nadie vigila en tiempo real",
    }
    assert unwatched[language] in said


GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
LONGEST_SMS = 1600
"""What a gateway takes as one message (Twilio); beyond it the end, where the help stands, would be lost."""


def segments(text: str) -> int:
    """How many pieces does a telephone get? 153 characters each, 67 when one of them is outside GSM-7."""
    return -(-len(text) // (153 if set(text) <= GSM7 else 67))


@pytest.mark.parametrize(("template", "language", "detail"), [*product(TO_PATIENTS, Language, [True, False])])
def test_a_message_to_a_patient_fits_a_telephone(
    template: TemplateName, language: Language, detail: bool
) -> None:
    said = words(template, language, full=True, detail=detail).body
    assert len(said) <= LONGEST_SMS
    assert segments(said) <= (6 if language is Language.ENGLISH else 13)


def test_of_a_short_message_less_than_half_is_about_help() -> None:
    said = words(TemplateName.SESSION_BOOKED, "en", full=True).body
    assert len(said.splitlines()[-1]) < len(said) / 2


def test_a_staff_page_holds_no_name() -> None:
    assert "Zephyrine" not in words(TemplateName.STAFF_PAGE, "en", full=True).body


def test_every_fault_of_a_message_is_named_without_its_value() -> None:
    with pytest.raises(MessageInvalid) as error:
        WORDING.words(
            TemplateName.SESSION_MOVED,
            a_contact(),
            {"previous_starts_at": "2026-03-02T14:00:00", "canary": "x" * 301},
        )
    assert error.value.faults == (
        "starts_at is missing",
        "canary is unknown",
        "canary is malformed",
        "previous_starts_at is malformed",
    )


@given(st.text(max_size=80))
def test_no_name_can_forge_a_line_or_a_subject(name: str) -> None:
    template, parameters = TemplateName.SESSION_REMINDER, {"starts_at": VALUES["starts_at"]}
    plain = WORDING.words(template, a_contact(name="Ana"), parameters)
    forged = WORDING.words(template, a_contact(name=name), parameters)
    assert forged.subject == plain.subject
    assert len(forged.body.splitlines()) == len(plain.body.splitlines())


@pytest.mark.parametrize(
    ("wish", "language"),
    [("en", "en"), ("es-MX", "es"), ("ES_us", "es"), ("de", "en"), ("", "en"), ("español", "en")],
)
def test_the_language_is_the_nearest_we_have(wish: str, language: str) -> None:
    assert language_for(wish) == language
