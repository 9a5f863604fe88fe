"""Do the routes of the drug books take what is true, refuse the rest with every fault, and open cases at once?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow

from api.engine import DRUG_CASE, EngineUnavailable, NotRunning
from clinical.people import Role
from tests.api.caller import SITE, Person
from tests.api.conftest import Clinic
from tests.api.test_problems import is_problem
from workflows.drug_discrepancy import DrugDiscrepancy
from workflows.messages import DeclareLoss, ExplainDiscrepancy, ReportLoss

BOOKS = f"/v1/custody/{SITE}"
VIAL = {
    "drug": "ketamine-racemic",
    "product": "ketamine 10 mg/mL",
    "strength": "10 mg/mL",
    "lot": "LOT-1",
    "expires_on": "2099-12-31",
    "amount_mg": 500,
}


def nurse(clinic: Clinic) -> Person:
    return clinic.person(Role.NURSE)


async def a_vial(clinic: Clinic, key: str = "vial", **changes: Any) -> str:
    """The address of a container."""
    answer = await nurse(clinic).post(f"{BOOKS}/containers", VIAL | changes, key=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["href"]).removesuffix("/movements")


async def test_a_container_comes_in_and_is_used_up(clinic: Clinic) -> None:
    vial = await a_vial(clinic)
    assert await a_vial(clinic) == vial  # the same request again
    wasted = {"amount_mg": 100, "witness": "staff-7", "reason": "vial opened"}
    assert (await nurse(clinic).post(f"{vial}/waste", wasted, key="w")).json()["remaining_mg"] == 400
    back = {"amount_mg": 100, "reference": "RD-1"}
    assert (await nurse(clinic).post(f"{vial}/return", back, key="r")).json()["remaining_mg"] == 300
    gone = {"amount_mg": 300, "witnesses": ["staff-7", "staff-8"], "reference": "Form 41"}
    assert (await nurse(clinic).post(f"{vial}/destruction", gone, key="d")).status_code == 201
    page = (await clinic.coordinator.get(f"{vial}/movements")).json()
    assert [one["kind"] for one in page["items"]] == ["received", "wasted", "sent-back", "destroyed"]
    assert page["container"]["closed_at"] is not None
    assert page["items"][1]["note"] == "vial opened"
    again = await nurse(clinic).post(f"{vial}/count", {"amount_mg": 0}, key="c")
    is_problem(again, 409, "not-possible-now")


async def test_every_fault_comes_at_once(clinic: Clinic) -> None:
    vial = await a_vial(clinic)
    own = {"amount_mg": 501, "witness": "staff-nurse", "reason": "x"}
    document = is_problem(
        await nurse(clinic).post(f"{vial}/waste", own, key="1"), 403, "separation-of-duties"
    )
    assert [fault["pointer"] for fault in document["errors"]] == ["/witness", "/witness", "/amount_mg"]  # type: ignore[attr-defined]
    nobody = {"amount_mg": 1, "witness": None, "reason": "x"}
    is_problem(await nurse(clinic).post(f"{vial}/waste", nobody, key="2"), 422, "movement-refused")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    much = {"amount_mg": 501, "witness": "staff-7", "reason": "x", "occurred_at": tomorrow}
    document = is_problem(await nurse(clinic).post(f"{vial}/waste", much, key="3"), 422, "movement-refused")
    assert [reason["rule"] for reason in document["reasons"]] == ["CUSTODY-TIME", "CUSTODY-AMOUNT"]  # type: ignore[attr-defined]
    one_witness = {"amount_mg": 1, "witnesses": ["staff-7"], "reference": "x"}
    assert (await nurse(clinic).post(f"{vial}/destruction", one_witness, key="4")).status_code in (403, 422)
    old = await nurse(clinic).post(f"{BOOKS}/containers", VIAL | {"expires_on": "2020-01-01"}, key="5")
    is_problem(old, 422, "movement-refused")
    elsewhere = f"{BOOKS}/containers/{'0' * 26}"
    is_problem(await nurse(clinic).post(f"{elsewhere}/count", {"amount_mg": 1}, key="6"), 404, "not-found")
    is_problem(await nurse(clinic).get(f"{elsewhere}/movements"), 404, "not-found")
    is_problem(await nurse(clinic).post(f"{vial}/count", {"amount_mg": 1}), 400, "idempotency-key-missing")
    assert len((await nurse(clinic).get(f"{vial}/movements")).json()["items"]) == 1


async def test_a_count_that_differs_opens_its_case_in_the_same_act(clinic: Clinic) -> None:
    vial = await a_vial(clinic)
    counted = await nurse(clinic).post(f"{vial}/count", {"amount_mg": 480}, key="c")
    assert (counted.status_code, counted.json()["discrepancy"]) == (201, 1)
    (case,) = clinic.engine.opened
    assert (case.site, case.number, case.owner, case.involved) == (
        SITE,
        1,
        "medical-director",
        ("staff-nurse",),
    )
    listed = (await clinic.coordinator.get(f"{BOOKS}/discrepancies?status=open")).json()["items"]
    assert [one["difference_mg"] for one in listed] == ["-20"]
    assert [duty["code"] for duty in listed[0]["waits_for"]] == ["explain-discrepancy"]


async def test_a_count_is_taken_while_the_engine_is_away_and_its_case_waits_in_the_books(
    clinic: Clinic,
) -> None:
    vial = await a_vial(clinic)
    clinic.engine.failure = EngineUnavailable()
    assert (await nurse(clinic).post(f"{vial}/count", {"amount_mg": 1}, key="c")).status_code == 201
    assert clinic.engine.opened == []
    assert len(await clinic.records.pending_cases(SITE)) == 1
    clinic.engine.failure = None
    explained = {"cause": "recording", "note": "found"}
    path = f"{BOOKS}/discrepancies/{vial.rpartition('/')[2]}/1/explanation"
    assert (await clinic.person(Role.MEDICAL_DIRECTOR).post(path, explained)).status_code == 200
    assert len(clinic.engine.opened) == 1


async def test_what_is_said_in_a_case_goes_to_its_workflow(clinic: Clinic) -> None:
    vial = (await a_vial(clinic)).rpartition("/")[2]
    case, director = f"{BOOKS}/discrepancies/{vial}/1", clinic.person(Role.MEDICAL_DIRECTOR)
    taken = workflow._Definition.must_from_class(DrugDiscrepancy)
    for act, body, kind, update in (
        ("explanation", {"cause": "recording", "note": "x"}, ExplainDiscrepancy, "explain_discrepancy"),
        ("loss", {"reason": "x"}, DeclareLoss, "declare_loss"),
        ("loss-notice", {"proof": "x"}, ReportLoss, "report_loss"),
        ("loss-form", {"proof": "x"}, ReportLoss, "report_loss"),
    ):
        assert (await director.post(f"{case}/{act}", body)).status_code == 200
        workflow_id, said, message = clinic.engine.heard[-1]
        assert (workflow_id, said, type(message)) == (f"drug/{SITE}/{vial}/1", update, kind)
        assert taken.updates[update].arg_types == [kind]
    assert taken.name == DRUG_CASE
    is_problem(await nurse(clinic).post(f"{case}/loss", {"reason": "x"}), 403, "wrong-role")
    clinic.engine.failure = NotRunning()
    is_problem(await director.post(f"{case}/loss", {"reason": "x"}), 404, "not-found")
    assert (
        await nurse(clinic).post(f"{BOOKS}/containers/{vial}/count", {"amount_mg": 1}, key="c")
    ).is_success
    is_problem(await director.post(f"{case}/loss", {"reason": "x"}), 409, "not-possible-now")


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.COORDINATOR, Role.AUDITOR])
async def test_who_does_not_handle_drugs_moves_none(clinic: Clinic, role: Role) -> None:
    vial = await a_vial(clinic)
    is_problem(await clinic.person(role).post(f"{vial}/count", {"amount_mg": 1}, key="c"), 403, "wrong-role")
    reads = (await clinic.person(role).get(f"{BOOKS}/containers")).status_code
    assert reads == (403 if role is Role.THERAPIST else 200)


async def test_the_register_comes_in_parts(clinic: Clinic) -> None:
    vials = [await a_vial(clinic, key=f"v{n}", lot=f"LOT-{n}") for n in range(3)]
    for vial in vials:
        await nurse(clinic).post(f"{vial}/count", {"amount_mg": 1}, key="c")
    for path in (f"{BOOKS}/containers", f"{BOOKS}/discrepancies", f"{vials[0]}/movements"):
        seen, cursor = [], ""
        while True:
            page = (await clinic.coordinator.get(f"{path}?limit=1{cursor}")).json()
            seen += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        whole = (await clinic.coordinator.get(path)).json()["items"]
        assert seen == whole
        assert len(whole) == (2 if path.endswith("movements") else 3)
    assert len((await clinic.coordinator.get(f"{BOOKS}/containers?lot=LOT-1")).json()["items"]) == 1
    assert (await clinic.coordinator.get(f"{BOOKS}/containers?cursor=made-up")).status_code == 400
