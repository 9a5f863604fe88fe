"""What stands in the demonstration clinic when it opens? The shipped protocol, rooms and staff, three people.

Run at every start: a clinic that has courses already is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clinical.people import Role
from clinical.protocol import Indication
from deploy.demo_clinic import Clinic
from deploy.rooms import furnish
from deploy.tokens import DEMO_SITE
from services.protocols import load_protocol

SAMPLE = Path(__file__).parent / "samples" / "milan-beatty.json"
PROTOCOL = "iv-racemic"
TIME_ZONE = "America/New_York"


async def seed(base_url: str, tokens: Mapping[str, str]) -> str:
    """One line that says what is there: a course to book, a booked one, one that the referral itself ended."""
    clinic = Clinic(base_url, tokens)
    try:
        protocol = load_protocol(PROTOCOL)
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        await register_site(clinic)
        await furnish(clinic)
        present = (await clinic.get("/v1/journeys", Role.COORDINATOR))["items"]
        if not present:
            await _open(clinic, protocol.canonical)
            present = (await clinic.get("/v1/journeys", Role.COORDINATOR))["items"]
    finally:
        await clinic.close()
    stages = ", ".join(sorted(str(journey["stage"]) for journey in present))
    return f"{DEMO_SITE}, protocol {protocol.version}, {len(present)} courses ({stages})"


async def register_site(clinic: Clinic) -> None:
    """The demonstration's site, unless somebody has registered (and perhaps changed) it."""
    if not (await clinic.get("/v1/sites", Role.OPS))["items"]:
        site = {"name": "Demonstration clinic", "time_zone": TIME_ZONE, "phone": "+1 202 555 0100"}
        await clinic.post(f"/v1/sites/{DEMO_SITE}", Role.OPS, site)


async def _open(clinic: Clinic, protocol: str) -> None:
    sample = json.loads(SAMPLE.read_text())
    await _start(clinic, sample, protocol, Indication.DEPRESSION)
    booked = await _start(clinic, _somebody("Robin", "1979-06-14", "other"), protocol, Indication.PTSD)
    starts = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
    await clinic.post(f"{booked}/consultation", Role.COORDINATOR, times)
    await _start(clinic, _somebody("Kim", "2014-02-03", "female"), protocol, Indication.DEPRESSION)


async def start_somebody(clinic: Clinic, given: str, protocol: str) -> str:
    """The address of a course that has just begun, of somebody of whom nothing is known."""
    return await _start(clinic, _somebody(given, "1984-03-02", "other"), protocol, Indication.DEPRESSION)


async def _start(clinic: Clinic, bundle: dict[str, Any], protocol: str, indication: Indication) -> str:
    query = {"site": DEMO_SITE, "time_zone": TIME_ZONE, "country": "US", "confirm_new": "true"}
    received = await clinic.post("/v1/referrals", Role.COORDINATOR, bundle, query=query)
    course = {
        "site": DEMO_SITE,
        "patient_id": received["patient_id"],
        "referral_id": received["referral_id"],
        "indication": indication,
        "protocol": protocol,
    }
    started = await clinic.post("/v1/journeys", Role.COORDINATOR, course)
    return str(started["href"])


def _somebody(given: str, birth_date: str, gender: str) -> dict[str, Any]:
    """The smallest referral there can be: a person with an address to write to, and nothing known."""
    person = {
        "resourceType": "Patient",
        "name": [{"given": [given], "family": "Example"}],
        "birthDate": birth_date,
        "gender": gender,
        "telecom": [{"system": "email", "value": f"{given.lower()}@example.org"}],
    }
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}]}
