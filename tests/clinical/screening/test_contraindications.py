"""Is every contraindication that a referral can state recognised, and does it count as the table says?"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.contraindication_codes.finding import Finding
from clinical.contraindication_codes.lookup import FINDINGS
from clinical.contraindications import age_findings, stated_contraindications, vital_status
from clinical.decision import Reason, Verdict
from clinical.patient_record import Allergy, Coding, Condition, Person, Presence
from clinical.protocol import Protocol
from tests.clinical.screening.complete_facts import NOW, a_condition, a_record, days_ago

REFUSE, REVIEW, CAUTION = Verdict.REFUSE, Verdict.REVIEW, Verdict.CAUTION
PAST = Presence.PAST


def found(protocol: Protocol, *conditions: Condition) -> set[tuple[str, Verdict]]:
    reasons = stated_contraindications(a_record(conditions=conditions), protocol, NOW)
    return {(reason.rule, reason.verdict) for reason in reasons}


@pytest.mark.parametrize(
    ("system", "code", "text", "rule", "verdict"),
    [
        ("snomed", "233985008", "", "X02", REFUSE),
        ("icd-10-cm", "I71.4", "", "X02", REFUSE),
        ("", "", "Thoracic aortic aneurysm", "X02", REFUSE),
        ("snomed", "24551003", "", "X03", REFUSE),
        ("icd-10-cm", "I61.9", "", "X04", REFUSE),
        ("", "", "Nontraumatic intracerebral haemorrhage", "X04", REFUSE),
        ("", "", "Phaeochromocytoma", "X05", REFUSE),
        ("icd-10-cm", "I16.1", "", "X06", REFUSE),
        ("snomed", "38341003", "", "X06", CAUTION),
        ("icd-10-cm", "I20.0", "", "X08", REFUSE),
        ("snomed", "49436004", "", "X08", REVIEW),
        ("snomed", "88805009", "", "X08", REVIEW),
        ("", "", "Acute on chronic systolic heart failure", "X08", REFUSE),
        ("snomed", "230690007", "", "X09", REVIEW),
        ("snomed", "230745008", "", "X10", REFUSE),
        ("snomed", "58214004", "", "X11", REFUSE),
        ("icd-10-cm", "F33.3", "", "X11", REFUSE),
        ("icd-10-cm", "F30.9", "", "X12", REFUSE),
        ("snomed", "13746004", "", "X12", REVIEW),
        ("", "", "Family history of schizophrenia", "X13", REVIEW),
        ("snomed", "7200002", "", "X14", REFUSE),
        ("snomed", "5602001", "", "X14", REFUSE),
        ("icd-10-cm", "F11.20", "", "X14", REFUSE),
        ("snomed", "361055000", "", "X15", REVIEW),
        ("snomed", "7071007", "", "X16", REVIEW),
        ("", "", "Ketamine dependence", "X16", REFUSE),
        ("snomed", "72892002", "", "X17", REFUSE),
        ("icd-10-cm", "Z34.91", "", "X17", REFUSE),
        ("snomed", "79586000", "", "X17", REVIEW),
        ("snomed", "413712001", "", "X18", REFUSE),
        ("snomed", "59927004", "", "X19", REFUSE),
        ("snomed", "19943007", "", "X19", REVIEW),
        ("snomed", "128302006", "", "X21", CAUTION),
        ("", "", "Thyroid storm", "X22", REFUSE),
        ("snomed", "34486009", "", "X22", REVIEW),
        ("snomed", "38822007", "", "X23", REVIEW),
        ("snomed", "185086009", "", "X24", REVIEW),
        ("snomed", "195967001", "", "X24", CAUTION),
        ("icd-10-cm", "E66.01", "", "X25", REVIEW),
        ("snomed", "23986001", "", "X26", REVIEW),
        ("snomed", "84757009", "", "X27", REVIEW),
        ("snomed", "26929004", "", "X28", REFUSE),
        ("snomed", "127295002", "", "X28", REVIEW),
        ("snomed", "128188000", "", "X28", REVIEW),
        ("snomed", "6471006", "", "X29", REVIEW),
        ("", "", "Suicidal intent", "X29", REFUSE),
        ("snomed", "55680006", "", "X29", REVIEW),
        ("icd-10-cm", "E80.21", "", "X30", REVIEW),
        ("snomed", "20010003", "", "X34", REVIEW),
    ],
)
def test_each_rule_is_recognised_while_the_condition_is_there(
    protocol: Protocol, system: str, code: str, text: str, rule: str, verdict: Verdict
) -> None:
    condition = a_condition(code, text, system=system, onset=days_ago(4000))
    assert (rule, verdict) in found(protocol, condition)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("19169002", "Miscarriage in first trimester"),
        ("370143000", "Major depression disorder"),
        ("47505003", "Posttraumatic stress disorder"),
        ("444814009", "Viral sinusitis (disorder)"),
        ("83664006", "Idiopathic atrophic hypothyroidism"),
        ("428251008", "History of appendectomy"),
        ("", "Acute cholecystitis"),
        ("", "Nicotine dependence"),
        ("", "Insulin dependent diabetes"),
        ("706893006", "Victim of intimate partner abuse"),
    ],
)
def test_what_is_harmless_is_no_reason(protocol: Protocol, code: str, text: str) -> None:
    assert found(protocol, a_condition(code, text)) == set()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("72892002", set()),
        ("84757009", {("X27", CAUTION)}),
        ("230690007", {("X09", REVIEW)}),
        ("233985008", {("X02", REFUSE)}),
        ("69322001", {("X11", REVIEW)}),
    ],
)
def test_what_is_over_counts_less(protocol: Protocol, code: str, expected: set[tuple[str, Verdict]]) -> None:
    assert found(protocol, a_condition(code, presence=PAST)) == expected


@pytest.mark.parametrize(
    ("days", "verdict"), [(0, REFUSE), (42, REFUSE), (42.01, REVIEW), (9000, REVIEW), (None, REVIEW)]
)
@pytest.mark.parametrize("presence", list(Presence))
def test_a_heart_attack_blocks_for_six_weeks(
    protocol: Protocol, days: float | None, verdict: Verdict, presence: Presence
) -> None:
    onset = None if days is None else days_ago(days)
    condition = a_condition("22298006", presence=presence, onset=onset)
    assert found(protocol, condition) == {("X07", verdict)}


@pytest.mark.parametrize(("days", "verdict"), [(3, REFUSE), (30, REFUSE), (31, REVIEW), (None, REVIEW)])
def test_a_suicide_attempt_blocks_for_a_month(
    protocol: Protocol, days: float | None, verdict: Verdict
) -> None:
    onset = None if days is None else days_ago(days)
    assert found(protocol, a_condition("82313006", onset=onset)) == {("X29", verdict)}


@pytest.mark.parametrize(("days", "verdict"), [(89, REFUSE), (91, CAUTION), (None, REVIEW)])
def test_a_substance_use_disorder_must_be_over_for_long_enough(
    protocol: Protocol, days: float | None, verdict: Verdict
) -> None:
    ended = None if days is None else days_ago(days)
    condition = a_condition("7200002", presence=PAST, onset=days_ago(4000), ended_at=ended)
    assert found(protocol, condition) == {("X14", verdict)}


@pytest.mark.parametrize("code", ["F10.21", "F10.11"])
def test_remission_is_not_active_use(protocol: Protocol, code: str) -> None:
    condition = a_condition(code, system="icd-10-cm", onset=days_ago(4000))
    assert found(protocol, condition) == {("X14", CAUTION)}


def test_an_entry_without_status_is_current_until_its_end(protocol: Protocol) -> None:
    def pregnancy(ended_days_ago: float | None) -> Condition:
        ended = None if ended_days_ago is None else days_ago(ended_days_ago)
        return a_condition("72892002", presence=Presence.UNKNOWN, ended_at=ended)

    assert found(protocol, pregnancy(None)) == {("X17", REFUSE)}
    assert found(protocol, pregnancy(-10)) == {("X17", REFUSE)}
    assert found(protocol, pregnancy(10)) == set()


def test_a_history_that_is_marked_active_is_over(protocol: Protocol) -> None:
    history = a_condition("703151001", "History of single seizure (situation)")
    assert found(protocol, history) == {("X27", CAUTION)}
    assert found(protocol, a_condition("", "History of mania")) == {("X12", REVIEW)}


def test_what_is_not_confirmed_or_not_clear_never_blocks_by_itself(protocol: Protocol) -> None:
    assert found(protocol, a_condition("26929004", confirmed=False)) == {("X28", REVIEW)}
    assert found(protocol, a_condition("", "Suspected dementia")) == {("X28", REVIEW)}
    assert found(protocol, a_condition("", "No evidence of dementia")) == {("X28", REVIEW)}


def test_a_disease_of_the_family_is_not_the_persons_own(protocol: Protocol) -> None:
    assert found(protocol, a_condition("", "Family history of dementia")) == set()
    assert found(protocol, a_condition("58214004", of_relative=True)) == {("X13", REVIEW)}
    assert found(protocol, a_condition("26929004", of_relative=True)) == set()
    assert found(protocol, a_condition("", "Psychosis", of_relative=True)) == {("X13", REVIEW)}


def test_words_are_asked_where_the_code_says_nothing(protocol: Protocol) -> None:
    assert found(protocol, a_condition("999", "Vascular dementia", system="local")) == {("X28", REFUSE)}
    assert found(protocol, a_condition("26929004", "memory", system="")) == {("X28", REFUSE)}


def test_a_code_of_another_system_is_not_read_as_snomed(protocol: Protocol) -> None:
    assert found(protocol, a_condition("26929004", "memory", system="http://example.org")) == set()


@pytest.mark.parametrize(
    "allergy",
    [
        Allergy(text="Ketamine"),
        Allergy(codings=(Coding(system="rxnorm", code="6130"),)),
        Allergy(codings=(Coding(system="snomed", code="1", display="Allergy to esketamine"),)),
    ],
)
def test_hypersensitivity_blocks(protocol: Protocol, allergy: Allergy) -> None:
    reasons = stated_contraindications(a_record(allergies=(allergy,)), protocol, NOW)
    assert [(r.rule, r.verdict) for r in reasons] == [("X01", REFUSE)]
    doubtful = allergy.model_copy(update={"confirmed": False})
    reasons = stated_contraindications(a_record(allergies=(doubtful,)), protocol, NOW)
    assert [(r.rule, r.verdict) for r in reasons] == [("X01", REVIEW)]


def test_other_allergies_are_no_reason(protocol: Protocol) -> None:
    record = a_record(allergies=(Allergy(text="Allergy to nut"),))
    assert stated_contraindications(record, protocol, NOW) == ()


def test_the_same_finding_written_twice_is_one_reason_with_the_latest_date(protocol: Protocol) -> None:
    conditions = (
        a_condition("84757009", onset=days_ago(9)),
        a_condition("84757009", onset=days_ago(3)),
        a_condition("84757009"),
    )
    reasons = stated_contraindications(a_record(conditions=conditions), protocol, NOW)
    assert [reason.observed_at for reason in reasons] == [days_ago(3)]


def test_every_reason_names_its_source_its_value_and_its_age(protocol: Protocol) -> None:
    condition = a_condition("84757009", "Epilepsy", onset=days_ago(10))
    (reason,) = stated_contraindications(a_record(conditions=(condition,)), protocol, NOW)
    assert reason.source
    assert reason.value == "Epilepsy (snomed 84757009)"
    assert reason.age_hours == 240


def test_the_dead_are_refused() -> None:
    assert vital_status(Person(), NOW) == ()
    assert vital_status(Person(deceased=False), NOW) == ()
    for person in (Person(deceased=True), Person(deceased_at=days_ago(3)), Person(deceased_at=days_ago(-3))):
        assert [(r.rule, r.verdict) for r in vital_status(person, NOW)] == [("DECEASED", REFUSE)]


def _age(protocol: Protocol, **person: object) -> list[tuple[str, Verdict]]:
    reasons: tuple[Reason, ...] = age_findings(Person.model_validate(person), protocol.screening, NOW)
    return [(reason.rule, reason.verdict) for reason in reasons]


@pytest.mark.parametrize(
    ("born", "precision", "expected"),
    [
        (date(2008, 11, 22), "day", []),
        (date(2008, 11, 23), "day", [("X31", REFUSE)]),
        (date(2015, 8, 22), "day", [("X31", REFUSE)]),
        (date(2008, 1, 1), "year", [("X31", REVIEW)]),
        (date(2007, 1, 1), "year", []),
        (date(2009, 1, 1), "year", [("X31", REFUSE)]),
        (date(2008, 11, 1), "month", [("X31", REVIEW)]),
        (date(1961, 11, 22), "day", [("X36", CAUTION)]),
        (date(1961, 11, 23), "day", []),
        (date(1961, 1, 1), "year", [("X36", CAUTION)]),
        (date(2027, 1, 1), "day", [("NEED-AGE", REVIEW)]),
        (None, "day", [("NEED-AGE", REVIEW)]),
    ],
)
def test_age(
    protocol: Protocol, born: date | None, precision: str, expected: list[tuple[str, Verdict]]
) -> None:
    assert _age(protocol, birth_date=born, birth_precision=precision) == expected


@given(row=st.sampled_from(FINDINGS), days=st.floats(0, 30_000))
def test_being_over_never_counts_more_than_being_there(protocol: Protocol, row: Finding, days: float) -> None:
    rank = {verdict: index for index, verdict in enumerate(Verdict)}
    for code in sorted(row.snomed)[:3]:
        there = a_condition(code, onset=days_ago(days))
        over = there.model_copy(update={"presence": PAST, "ended_at": there.onset_at})
        worst = [max((rank[v] for _, v in found(protocol, c)), default=0) for c in (there, over)]
        assert worst[1] <= worst[0]


def test_the_clock_is_an_argument(protocol: Protocol) -> None:
    record = a_record(conditions=(a_condition("22298006", onset=NOW),))
    at = [stated_contraindications(record, protocol, NOW + timedelta(days=d))[0].verdict for d in (1, 60)]
    assert at == [REFUSE, REVIEW]
