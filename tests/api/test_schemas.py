"""Is what comes in strict enough, and does it arrive as it was meant?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.schemas.course import LeavingIn
from api.schemas.intake import ConsultationIn, PatientIn
from api.schemas.session import CheckInIn, DoseIn
from api.schemas.values import BodyWeight, Instant
from api.schemas.vitals import READING, ReadingIn
from clinical.people import Role
from tests.api.conftest import PATIENT, Clinic

CHECK_IN = CheckInIn.model_json_schema()["examples"][0]
DOSE = DoseIn.model_json_schema()["examples"][0]


def faults(model: Any, body: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(model).validate_python(body)
    return {"/".join(map(str, error["loc"])): error["type"] for error in caught.value.errors()}


@pytest.mark.parametrize(
    "value",
    [0, 1772460000, 1772460000.5, True, None, "", "2026-03-02", "2026-03-02T09:30:00", "2026-03-02 09:30:00Z",
     "20260302T093000Z", "0001-01-01T00:00:00Z", "2026-02-30T09:30:00Z"],
)  # fmt: skip
def test_an_instant_is_a_text_with_an_offset(value: object) -> None:
    assert faults(Instant, value)


@given(seconds=st.integers(0, 4 * 10**9), minutes=st.integers(-14 * 60, 14 * 60))
def test_instants_arrive_in_utc_and_stay_the_same(seconds: int, minutes: int) -> None:
    at = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    read = TypeAdapter(Instant).validate_python(at.isoformat())
    assert (read, read.tzinfo) == (at, UTC)


def test_a_local_time_needs_its_offset() -> None:
    body = {"starts_at": "2026-03-08T02:30:00", "ends_at": "2026-03-08T03:30:00-04:00"}
    assert faults(ConsultationIn, body) == {"starts_at": "instant"}


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "hours"),
    [
        ("2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00", 1),  # a day of 23 hours
        ("2026-11-01T00:30:00-04:00", "2026-11-01T02:30:00-05:00", 3),  # a day of 25 hours
        ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", 1),  # the same wall time, twice
    ],
)
def test_a_booking_over_a_change_of_the_clocks_has_its_true_length(
    starts_at: str, ends_at: str, hours: int
) -> None:
    booked = ConsultationIn.model_validate_json(json.dumps({"starts_at": starts_at, "ends_at": ends_at}))
    assert booked.ends_at - booked.starts_at == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["systolic_mmhg", "heart_rate_per_min", "moaas"])
@pytest.mark.parametrize("value", ["120", True, 120.5, None])
def test_numbers_are_numbers(name: str, value: object) -> None:
    if name == "moaas" and value is None:
        return  # not measured is something one can say
    assert name in faults(ReadingIn, READING | {name: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "98"])
def test_a_number_is_finite(value: object) -> None:
    assert "spo2_percent" in faults(ReadingIn, READING | {"spo2_percent": value})


@pytest.mark.parametrize(
    ("value", "unit", "kg"), [(154, "[lb_av]", "69.853"), (70, "kg", "70.0"), (70000, "g", "70.0")]
)
def test_a_weight_comes_with_its_unit(value: float, unit: str, kg: str) -> None:
    weight = TypeAdapter(BodyWeight).validate_python({"value": value, "unit": unit})
    assert weight.kg == Decimal(kg)


@pytest.mark.parametrize(
    "weight", [70, {"value": 70}, {"value": 70, "unit": "stone"}, {"value": 7000, "unit": "kg"}]
)
def test_a_weight_without_a_unit_or_sense_is_refused(weight: object) -> None:
    assert any(place.startswith("weight") for place in faults(CheckInIn, CHECK_IN | {"weight": weight}))


def test_what_is_not_known_is_said_not_left_out() -> None:
    without = {name: value for name, value in CHECK_IN.items() if name != "other_clinic_dose"}
    assert faults(CheckInIn, without) == {"other_clinic_dose": "missing"}


def test_the_dose_is_exact() -> None:
    assert DoseIn.model_validate(DOSE | {"dose_mg": 34.9}).dose_mg == Decimal("34.9")
    assert faults(DoseIn, DOSE | {"dose_mg": "34.9"}) == {"dose_mg": "number"}
    assert faults(DoseIn, DOSE | {"dose_mg": 0}) == {"dose_mg": "greater_than"}


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * 2001])
def test_a_reason_says_something(text: str) -> None:
    assert set(faults(LeavingIn, {"reason": text})) == {"reason"}


def test_contact_data_is_put_in_order() -> None:
    person = PatientIn.model_validate(PATIENT | {"email": "Quentin@EXAMPLE.org"})
    assert (person.phone, person.email) == ("+12025550199", "Quentin@example.org")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"email": None, "phone": None}, "preferred_channel"),
        ({"phone": None, "preferred_channel": "sms"}, "preferred_channel"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"time_zone": "EST5EDT,M3.2.0"}, "time_zone"),
        ({"phone": "+1 000 000 0000"}, "phone"),
        ({"email": "quentin@localhost"}, "email"),
        ({"language": "english"}, "language"),
        ({"birth_date": 0}, "birth_date"),
    ],
)
def test_a_person_who_could_not_be_reached_is_not_registered(change: dict[str, object], place: str) -> None:
    assert set(faults(PatientIn, PATIENT | change)) == {place}


async def test_a_child_is_not_registered(clinic: Clinic) -> None:
    for born in (f"{datetime.now(UTC).year - 10}-01-01", "2190-01-01"):
        answer = await clinic.coordinator.post("/v1/patients", PATIENT | {"birth_date": born})
        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
            ("/birth_date", "under-age")
        ]


async def test_a_probable_duplicate_is_shown(clinic: Clinic) -> None:
    first = await clinic.coordinator.post("/v1/patients", PATIENT)
    second = await clinic.coordinator.post("/v1/patients", PATIENT | {"name": "ZIMMERFELD, Quentin"})
    assert (second.status_code, second.json()["code"]) == (409, "probable-duplicate")
    (candidate,) = second.json()["candidates"]
    assert candidate["patient_id"] == first.json()["patient_id"]
    assert set(candidate["matched_on"]) == {"person", "phone", "email"}
    assert (await clinic.coordinator.post("/v1/patients", PATIENT | {"confirm_new": True})).status_code == 201


async def test_the_message_says_what_the_body_said(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    nurse = clinic.person(Role.NURSE)
    assert (await nurse.post(f"{course}/sessions/1/check-in", CHECK_IN)).status_code == 200
    _, update, message = clinic.engine.heard[-1]
    said = message.model_dump()
    assert update == "check_in"
    assert said["weight_kg"] == Decimal("69.853")
    assert said["baseline"]["taken_at"] == datetime(2026, 3, 16, 13, 40, tzinfo=UTC)
    assert message.actor.id == "staff-nurse"


async def test_the_escort_is_somebody_else(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    path = f"{course}/sessions/1/readiness"
    own = await clinic.coordinator.post(path, {"answers": {"escort_phone": "(202) 555-0199"}})
    assert (own.status_code, own.json()["code"]) == (422, "invalid-answers")
    assert [fault["pointer"] for fault in own.json()["errors"]] == ["/answers/escort_phone"]
    assert (
        await clinic.coordinator.post(path, {"answers": {"escort_phone": "+1 202 555 0188"}})
    ).status_code == 200


async def test_an_override_carries_the_signers_role(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    override = {"rule": "X17", "reason": "treated", "expires_at": "2026-06-01T00:00:00Z"}
    body = {"eligibility": "eligible", "overrides": [override]}
    await clinic.person(Role.MEDICAL_DIRECTOR).post(f"{course}/screenings/1/signature", body)
    (given_override,) = clinic.engine.heard[-1][2].model_dump()["overrides"]
    assert given_override["by_role"] is Role.MEDICAL_DIRECTOR


async def test_an_adverse_event_learns_drug_and_zone_from_the_record(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    body = {
        "term": "nausea",
        "grade": 1,
        "seriousness": None,
        "onset_at": "2026-03-16T10:20:00-04:00",
        "known_at": "2026-03-16T10:30:00-04:00",
    }
    answer = await clinic.person(Role.NURSE).post(f"{course}/adverse-events", body)
    assert answer.status_code == 201
    event = clinic.engine.heard[-1][2].model_dump()["event"]
    assert (event["drug"], event["time_zone"], event["dose_at"]) == (
        "ketamine-racemic",
        "America/New_York",
        None,
    )


async def test_approving_needs_the_hash_of_what_is_approved(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    therapist, path = clinic.person(Role.THERAPIST), f"{course}/plans/1/approvals"
    without = await therapist.post(path, {}, key="a")
    assert (without.status_code, without.json()["code"]) == (428, "precondition-required")
    plan_hash = "ab" * 32
    assert (await therapist.post(path, None, key="b", if_match=f'"{plan_hash}"')).status_code == 200
    assert clinic.engine.heard[-1][2].model_dump()["plan_hash"] == plan_hash


async def test_nothing_starts_for_whom_or_what_is_not_there(clinic: Clinic) -> None:
    patient = await clinic.a_patient()
    body = {"site": "site-a", "patient_id": patient, "indication": "panic-disorder"}
    for number, (change, place) in enumerate(
        [
            ({"patient_id": "0" * 26}, "/patient_id"),
            ({"referral_id": "0" * 26}, "/referral_id"),
            ({"protocol": "https://example.org/other|1"}, "/protocol"),
        ]
    ):
        answer = await clinic.coordinator.post("/v1/journeys", body | change, key=f"k{number}")
        assert answer.status_code == 404
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [place]
    assert clinic.engine.heard == []
