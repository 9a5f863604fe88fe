"""Does a FHIR bundle become a person and a referral, whatever it looks like?"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from api.routes.referrals import EXAMPLE
from clinical.people import Role
from tests.api.caller import SITE
from tests.api.conftest import Clinic

PATH = f"/v1/referrals?site={SITE}&time_zone=America/New_York"


def a_bundle(**patient: object) -> dict[str, Any]:
    bundle: dict[str, Any] = copy.deepcopy(EXAMPLE)
    bundle["entry"][0]["resource"] |= patient
    return bundle


async def test_a_referral_registers_the_person_and_is_kept(clinic: Clinic) -> None:
    answer = await clinic.coordinator.post(PATH, a_bundle(), key="r1")
    assert answer.status_code == 201
    made = answer.json()
    assert made["contactable"] is True
    person = (await clinic.coordinator.get(answer.headers["location"])).json()
    assert (person["name"], person["email"], person["birth_date"]) == (
        "Alex Example",
        "alex@example.org",
        "1984-05-17",
    )
    body = {
        "site": SITE,
        "indication": "panic-disorder",
        **{n: made[n] for n in ("patient_id", "referral_id")},
    }
    assert (await clinic.coordinator.post("/v1/journeys", body, key="s1")).status_code == 201


async def test_the_same_referral_again_is_the_same_person(clinic: Clinic) -> None:
    first = await clinic.coordinator.post(PATH, a_bundle(), key="r1")
    again = await clinic.coordinator.post(PATH, a_bundle(), key="r1")
    assert first.json() == again.json()
    other = await clinic.coordinator.post(PATH, a_bundle(), key="r2")
    assert (other.status_code, other.json()["code"]) == (409, "probable-duplicate")
    known = await clinic.coordinator.post(
        f"{PATH}&patient_id={first.json()['patient_id']}", a_bundle(), key="r3"
    )
    assert known.json()["patient_id"] == first.json()["patient_id"]
    assert known.json()["referral_id"] != first.json()["referral_id"]


async def test_what_cannot_be_used_to_reach_somebody_is_left_out(clinic: Clinic) -> None:
    telecom = [{"system": "phone", "value": "555-123"}, {"system": "email", "value": "not an address"}]
    answer = await clinic.coordinator.post(PATH, a_bundle(telecom=telecom), key="r1")
    assert (answer.status_code, answer.json()["contactable"]) == (201, False)


async def test_a_local_number_is_read_with_its_country(clinic: Clinic) -> None:
    telecom = [{"system": "phone", "value": "(202) 555-0143"}]
    answer = await clinic.coordinator.post(f"{PATH}&country=US", a_bundle(telecom=telecom), key="r1")
    person = (await clinic.coordinator.get(answer.headers["location"])).json()
    assert (person["phone_e164"], person["preferred_channel"]) == ("+12025550143", "sms")


@pytest.mark.parametrize(("born", "kept"), [("1984", "1984"), ("1984-05", "1984-05"), ("long ago", "")])
async def test_an_imprecise_birth_date_stays_imprecise(clinic: Clinic, born: str, kept: str) -> None:
    answer = await clinic.coordinator.post(PATH, a_bundle(birthDate=born), key="r1")
    person = (await clinic.coordinator.get(answer.headers["location"])).json()
    assert person["birth_date"] == kept


@pytest.mark.parametrize(
    "bundle", [{}, {"resourceType": "Patient"}, {"resourceType": "Bundle", "entry": []}, []]
)
async def test_what_is_no_referral_is_refused_with_its_problems(clinic: Clinic, bundle: object) -> None:
    answer = await clinic.coordinator.post(PATH, bundle, key="r1")
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable-bundle")
    assert answer.json()["errors"]


async def test_the_zone_must_be_one(clinic: Clinic) -> None:
    answer = await clinic.coordinator.post(
        f"/v1/referrals?site={SITE}&time_zone=Mars/Base", a_bundle(), key="r1"
    )
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["query:time_zone"]
    assert (await clinic.person(Role.NURSE).post(PATH, a_bundle())).status_code == 403
