"""Is each resource read as FHIR means it: status, verification, dates, units, references?"""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clinical.patient_record import ClinicalRecord, MeasurementCode, Presence, Sex
from services.fhir.bundle import read_referral
from services.fhir.patient import PatientIdentity
from tests.services.fhir.bundles import (
    RXNORM,
    a_bundle,
    a_condition,
    a_patient,
    a_prescription,
    a_pressure,
    an_observation,
    concept,
)

EPILEPSY = concept("84757009", "Epilepsy")
VALIUM = concept("3322", "Diazepam [Valium]", RXNORM)


def read(*resources: Any, patient: dict[str, Any] | None = None) -> ClinicalRecord:
    return read_referral(a_bundle(*resources, patient=patient)).record


@pytest.mark.parametrize(
    ("clinical", "presence"),
    [
        ("active", Presence.CURRENT),
        ("recurrence", Presence.CURRENT),
        ("relapse", Presence.CURRENT),
        ("inactive", Presence.PAST),
        ("remission", Presence.PAST),
        ("resolved", Presence.PAST),
        (None, Presence.UNKNOWN),
    ],
)
def test_clinical_status(clinical: str | None, presence: Presence) -> None:
    (condition,) = read(a_condition(EPILEPSY, clinical=clinical)).conditions
    assert condition.presence is presence
    assert condition.codings[0].system == "snomed"


@pytest.mark.parametrize(
    ("verified", "kept"),
    [
        ("confirmed", [True]),
        ("provisional", [False]),
        ("differential", [False]),
        ("unconfirmed", [False]),
        ("refuted", []),
        ("entered-in-error", []),
    ],
)
def test_verification_status(verified: str, kept: list[bool]) -> None:
    conditions = read(a_condition(EPILEPSY, verified=verified)).conditions
    assert [condition.confirmed for condition in conditions] == kept


@pytest.mark.parametrize(
    "resource",
    [
        a_condition(EPILEPSY, clinical="sleeping"),
        a_condition(EPILEPSY, abatementDateTime="2020-01-01"),
        a_condition(EPILEPSY, clinical=None, abatementString="last spring"),
        a_condition(EPILEPSY, onsetDateTime="in spring"),
        a_condition({}),
        a_condition({"coding": [{"system": "http://snomed.info/sct"}]}),
    ],
)
def test_what_is_odd_about_a_condition_is_said(resource: dict[str, Any]) -> None:
    record = read(resource)
    assert len(record.unreadable) == 1
    assert all(condition.presence is not Presence.PAST for condition in record.conditions)


def test_a_plain_status_code_of_another_fhir_version_is_understood() -> None:
    (condition,) = read(a_condition(EPILEPSY, clinicalStatus="resolved")).conditions
    assert condition.presence is Presence.PAST


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2001", datetime(2001, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2001-02", datetime(2001, 2, 28, 23, 59, 59, tzinfo=UTC)),
        ("2001-02-03", datetime(2001, 2, 3, 23, 59, 59, tzinfo=UTC)),
        ("2001-02-03T04:05:06+01:00", datetime(2001, 2, 3, 3, 5, 6, tzinfo=UTC)),
        ("2001-02-03T04:05:06Z", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)),
    ],
)
def test_partial_dates_are_as_late_as_they_may_be(said: str, expected: datetime) -> None:
    (condition,) = read(a_condition(EPILEPSY, onsetDateTime=said)).conditions
    assert condition.onset_at == expected


@pytest.mark.parametrize(
    "said", ["", "2001-13", "2001-02-30", "0001-01-01", "9999-01-01", "2001-02-03T04:05:06", "soon", 7]
)
def test_impossible_dates_are_none(said: object) -> None:
    (condition,) = read(a_condition(EPILEPSY, onsetDateTime=said)).conditions
    assert condition.onset_at is None


def test_onset_falls_back_on_the_period_and_the_recording() -> None:
    period = a_condition(EPILEPSY, onsetPeriod={"start": "2001-02-03T04:05:06Z"})
    recorded = a_condition(EPILEPSY, recordedDate="2002-02-03T04:05:06Z")
    years = [c.onset_at.year for c in read(period, recorded).conditions if c.onset_at]
    assert years == [2001, 2002]


@pytest.mark.parametrize(
    ("status", "current"),
    [
        ("active", True),
        ("on-hold", True),
        ("unknown", True),
        ("stopped", False),
        ("completed", False),
        ("draft", False),
    ],
)
def test_medication_status(status: str, current: bool) -> None:
    (medication,) = read(a_prescription(VALIUM, status=status)).medications
    assert medication.current is current


def test_medicines_never_ordered_are_left_out() -> None:
    assert read(a_prescription(VALIUM, status="entered-in-error")).medications == ()
    assert read(a_prescription(VALIUM, doNotPerform=True)).medications == ()


def test_a_medicine_is_found_by_reference() -> None:
    inside = a_prescription(
        contained=[{"resourceType": "Medication", "id": "m1", "code": VALIUM}],
        medicationReference={"reference": "#m1"},
    )
    beside = a_prescription(medicationReference={"reference": "Medication/m2"})
    medication = {"resourceType": "Medication", "id": "m2", "code": concept("596", "Alprazolam", RXNORM)}
    named = a_prescription(medicationReference={"reference": "Medication/gone", "display": "Lorazepam"})
    record = read(inside, beside, medication, named)
    displays = [m.codings[0].display if m.codings else m.text for m in record.medications]
    assert displays == ["Diazepam [Valium]", "Alprazolam", "Lorazepam"]
    assert record.unreadable == ()


def test_a_medicine_without_a_name_is_said() -> None:
    assert len(read(a_prescription(medicationReference={"reference": "Medication/gone"})).unreadable) == 1
    coded = read(a_prescription(concept("3322", None, RXNORM)))
    assert (len(coded.unreadable), len(coded.medications)) == (1, 1)
    assert read(a_prescription(status="stopped")).unreadable == ()
    assert len(read(a_prescription(VALIUM, status="paused")).unreadable) == 1


def test_the_end_of_a_medicine() -> None:
    def until(**more: Any) -> datetime | None:
        return read(a_prescription(VALIUM, **more)).medications[0].until

    def dose(end: str | None) -> dict[str, Any]:
        return {"timing": {"repeat": {"boundsPeriod": {"end": end}}}}

    assert until() is None
    assert until(dispenseRequest={"validityPeriod": {"end": "2020-01-01T00:00:00Z"}}) is not None
    assert until(dosageInstruction=[dose("2020-01-01"), dose(None)]) is None
    last = until(dosageInstruction=[dose("2020-01-01T00:00:00Z"), dose("2021-01-01T00:00:00Z")])
    assert last == datetime(2021, 1, 1, tzinfo=UTC)
    statement = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": VALIUM,
    }
    (medication,) = read(
        statement | {"effectivePeriod": {"start": "2019-01-01", "end": "2020-01-01"}}
    ).medications
    assert medication.since is not None
    assert medication.until is not None


@pytest.mark.parametrize("panel", ["55284-4", "85354-9"])
def test_both_pressures_of_a_panel(panel: str) -> None:
    values = {m.code: m.value for m in read(a_pressure(120, 80, panel)).measurements}
    assert values == {MeasurementCode.SYSTOLIC: 120, MeasurementCode.DIASTOLIC: 80}


def test_a_panel_without_one_of_its_pressures_is_said() -> None:
    record = read(a_pressure(120, None))
    assert [m.code for m in record.measurements] == [MeasurementCode.SYSTOLIC]
    assert [fault.text for fault in record.unreadable] == ["diastolic: no value"]


@pytest.mark.parametrize(
    "observation",
    [
        an_observation("29463-7", 80, "stones"),
        an_observation("29463-7", "80", "kg"),
        an_observation("29463-7", True, "kg"),
        an_observation("29463-7", 10**400, "kg"),
        an_observation("29463-7", 8000, "kg"),
        an_observation("29463-7", 80, ""),
        an_observation("29463-7", valueString="80 kg"),
        an_observation("29463-7"),
        an_observation("29463-7", valueQuantity={"value": 80, "code": "kg", "comparator": "<"}),
        an_observation("29463-7", 80, "kg", effectiveDateTime="one day"),
        an_observation("29463-7", 80, "kg", status="strange"),
        a_pressure(16, 10, unit="mm[Hg]"),
    ],
)
def test_a_measurement_that_cannot_be_used_is_said(observation: dict[str, Any]) -> None:
    record = read(observation)
    assert record.measurements == ()
    assert record.unreadable


def test_units_are_kept_as_sent_and_checked() -> None:
    sent = [
        an_observation("29463-7", 154, "[lb_av]"),
        an_observation("8310-5", 98.6, "[degF]"),
        a_pressure(16, 10, unit="kPa"),
    ]
    record = read(*sent)
    assert record.unreadable == ()
    assert {m.unit for m in record.measurements} == {"[lb_av]", "[degF]", "kPa"}


def test_observations_that_do_not_count_are_left_out() -> None:
    wrong = an_observation("29463-7", 80, "kg", status="entered-in-error")
    other = an_observation("72166-2", valueCodeableConcept=concept("266919005", "Never smoker"))
    record = read(wrong, other)
    assert (record.measurements, record.unreadable) == ((), ())


@pytest.mark.parametrize(
    ("changed", "deceased", "faults"),
    [
        ({}, None, 0),
        ({"deceasedBoolean": False}, False, 0),
        ({"deceasedBoolean": True}, True, 0),
        ({"deceasedDateTime": "2007-03-25T19:08:38+00:00"}, True, 0),
        ({"deceasedDateTime": "2007"}, True, 0),
        ({"deceasedDateTime": "long ago"}, True, 1),
        ({"deceasedBoolean": "yes"}, True, 1),
    ],
)
def test_death(changed: dict[str, Any], deceased: bool | None, faults: int) -> None:
    record = read(patient=a_patient(**changed))
    assert record.person.deceased is deceased
    assert len(record.unreadable) == faults


@pytest.mark.parametrize(
    ("said", "expected", "precision", "faults"),
    [
        ("1984-05-01", date(1984, 5, 1), "day", 0),
        ("1984-05", date(1984, 5, 1), "month", 1),
        ("1984", date(1984, 1, 1), "year", 1),
        ("1984-15-01", None, "day", 1),
        ("young", None, "day", 1),
        (None, None, "day", 0),
    ],
)
def test_birth_date(said: str | None, expected: date | None, precision: str, faults: int) -> None:
    record = read(patient=a_patient(birthDate=said))
    assert (record.person.birth_date, record.person.birth_precision) == (expected, precision)
    assert len(record.unreadable) == faults


BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


@pytest.mark.parametrize(
    ("gender", "birth", "sex"),
    [
        ("male", None, Sex.MALE),
        ("female", "F", Sex.FEMALE),
        ("other", "F", Sex.FEMALE),
        ("male", "F", Sex.UNKNOWN),
        ("male", "UNK", Sex.UNKNOWN),
        (None, "M", Sex.MALE),
        (None, None, Sex.UNKNOWN),
    ],
)
def test_sex(gender: str | None, birth: str | None, sex: Sex) -> None:
    extension = None if birth is None else [{"url": BIRTH_SEX, "valueCode": birth}]
    assert read(patient=a_patient(gender=gender, extension=extension)).person.sex is sex


def identity(**changed: Any) -> PatientIdentity:
    return read_referral(a_bundle(patient=a_patient(**changed))).identity


def test_identity() -> None:
    known = identity(
        name=[
            {"use": "maiden", "family": "Old"},
            {"use": "official", "given": ["Ana", "M."], "family": "Roe"},
        ],
        telecom=[
            {"system": "phone", "value": "555-1", "use": "old"},
            {"system": "phone", "value": "555-2"},
            {"system": "email", "value": "ana@example.org"},
        ],
        address=[{"line": ["1 Main St"], "city": "Salem", "postalCode": "01970"}],
        identifier=[{"value": "x"}, {"type": {"coding": [{"code": "MR"}]}, "value": "MRN-7"}],
        communication=[
            {"language": {"coding": [{"code": "es"}]}, "preferred": True},
            {"language": {"text": "x"}},
        ],
    )
    assert known == PatientIdentity(
        name="Ana M. Roe",
        birth_date=date(1984, 5, 1),
        sex=Sex.MALE,
        phone="555-2",
        email="ana@example.org",
        address_text="1 Main St, Salem, 01970",
        mrn="MRN-7",
        language="es",
    )


def test_an_unknown_identity_is_empty() -> None:
    nobody = identity(birthDate="1984")
    assert (nobody.name, nobody.birth_date, nobody.phone, nobody.mrn) == ("", None, None, None)
    assert (nobody.email, nobody.address_text, nobody.language) == (None, None, None)
    assert (
        identity(name=[{"text": "Ana Roe"}], communication=[{"language": {"text": "Spanish"}}]).name
        == "Ana Roe"
    )


def test_an_allergy_is_read_with_the_substances_of_its_reactions() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "code": concept("1", "Drug reaction"),
        "reaction": [{"substance": concept("6130", "Ketamine", RXNORM)}],
        "verificationStatus": {"coding": [{"code": "unconfirmed"}]},
    }
    (read_allergy,) = read(allergy).allergies
    assert [c.display for c in read_allergy.codings] == ["Drug reaction", "Ketamine"]
    assert not read_allergy.confirmed
    assert read(allergy | {"verificationStatus": {"coding": [{"code": "refuted"}]}}).allergies == ()
    assert len(read({"resourceType": "AllergyIntolerance"}).unreadable) == 1
