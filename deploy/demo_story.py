"""What happens to the patient of the demonstration, from the referral to the closing summary?

Every act is one HTTP request by the person whose act it is. Between the acts the virtual clock moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clinical.follow_up import measurement_times
from clinical.journey import FINAL
from clinical.patient_record import ClinicalRecord
from clinical.protocol import Drug, Indication, Protocol
from clinical.schedule import PastDose, earliest_next
from deploy.demo_clinic import Clinic
from deploy.demo_doses import container_label, minutes_of_dose, ordered_dose, planned_dose, scanned
from deploy.demo_patient import FOLLOW_UP, RESPONSE, DemoPatient
from deploy.rooms import furnish
from deploy.tokens import DEMO_SITE, staff_id
from deploy.virtual_clock import VirtualClock

TIME_ZONE = "America/New_York"
MORNING_UTC = 15
Tell = Callable[[str], None]


class Story:
    """Raises Refused when the engine will not do what the story asks: the story is wrong, or the engine."""

    def __init__(
        self,
        clinic: Clinic,
        clock: VirtualClock,
        protocol: Protocol,
        indication: Indication,
        record: ClinicalRecord,
        tell: Tell,
    ) -> None:
        self._clinic = clinic
        self._clock = clock
        self._protocol = protocol
        self._indication = indication
        self._patient = DemoPatient(record, protocol, indication)
        self._tell = tell
        self._plan_hash = self._container = ""
        self._given: list[PastDose] = []
        self.journey_id = ""
        self.path = ""

    def steps(self) -> int:
        """How many things are told when all goes well."""
        sessions, weeks = self._protocol.schedule.first.sessions, len(self._protocol.follow_up.weeks)
        return 6 + self._protocol.therapy.preparation_sessions + 5 * sessions + weeks + 1

    async def run(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """The journey as the API shows it at its end."""
        await self._refer(bundle)
        for chapter in (self._consult, self._screen, self._plan, self._prepare, self._treat, self._follow_up):
            if await self._over():
                break
            await chapter()
        self._tell("the course is closed")
        return await self.journey()

    @property
    def _now(self) -> datetime:
        return self._clock.now

    def _morning(self, days: int) -> datetime:
        """So many days from now, when messages may leave and clinics are open."""
        day = self._now + timedelta(days=days)
        return day.replace(hour=MORNING_UTC, minute=0, second=0, microsecond=0)

    def _next_visit(self) -> datetime:
        """The first morning that the protocol's interval allows, and two days from now at the earliest."""
        allowed = earliest_next(self._given, self._protocol, TIME_ZONE)
        starts = self._morning(2)
        while starts < allowed:
            starts += timedelta(days=1)
        return starts

    async def _be(self, instant: datetime, part: str = "") -> None:
        workflow_id = f"{self.journey_id}/{part}" if part else self.journey_id
        await self._clock.until_running(workflow_id)
        await self._clock.move(workflow_id, instant)

    async def _post(self, path: str, role: str, body: Mapping[str, Any] | None = None, **more: Any) -> Any:
        return await self._clinic.post(f"{self.path}/{path}", role, body, **more)

    async def journey(self) -> dict[str, Any]:
        journey: dict[str, Any] = (await self._clinic.get(self.path))["journey"]
        return journey

    async def until_over(self) -> None:
        """The last part has come to its end and the course is closed."""
        await self._clock.eventually(self._over)

    async def _over(self) -> bool:
        return (await self.journey())["stage"] in FINAL

    async def _refer(self, bundle: Mapping[str, Any]) -> None:
        query = {"site": DEMO_SITE, "time_zone": TIME_ZONE, "country": "US", "confirm_new": "true"}
        received = await self._clinic.post("/v1/referrals", "coordinator", bundle, query=query)
        started = await self._clinic.post(
            "/v1/journeys",
            "coordinator",
            {
                "site": DEMO_SITE,
                "patient_id": received["patient_id"],
                "referral_id": received["referral_id"],
                "indication": self._indication,
                "protocol": self._protocol.canonical,
            },
        )
        self.journey_id = started["journey_id"]
        self.path = f"/v1/journeys/{self.journey_id.removeprefix('journey/')}"
        self._tell("referral received, course started")

    async def _consult(self) -> None:
        starts = self._morning(3)
        await self._be(self._morning(1))
        times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
        await self._post("consultation", "coordinator", times)
        self._tell("consultation booked")
        await self._be(starts + timedelta(minutes=50))
        outcome = {"outcome": "proceed", "reason": "benefit and risk discussed; suitable for screening"}
        await self._post("consultation/outcome", "clinician", outcome)
        consent = self._protocol.consent
        await self._post(
            "consent",
            "clinician",
            {
                "document_version": consent.document_version,
                "elements": list(consent.required_elements),
                "capacity_attested": True,
            },
        )
        self._tell("consultation held, consent given")

    async def _screen(self) -> None:
        part = "screening/1"
        at = self._now + timedelta(minutes=30)
        await self._be(at, part)
        where = "screenings/1"
        values = {"measurements": self._patient.measurements(at), "work_up": self._patient.work_up(at)}
        await self._post(f"{where}/measurements", "nurse", values)
        forms = {"questionnaires": self._patient.forms(RESPONSE[0])}
        await self._post(f"{where}/questionnaires", "nurse", forms)
        history = {"interview": self._patient.interview(at)}
        assessed = await self._post(f"{where}/interview", "clinician", history)
        answer = "eligible" if assessed["state"] == "eligible" else "ineligible"
        await self._post(f"{where}/signature", "prescriber", {"eligibility": answer})
        self._tell(f"screening signed: {answer}")

    async def _plan(self) -> None:
        await self._be(self._now, "plan/1")
        content = {**planned_dose(self._protocol), "goals": "sleep through the night; return to work"}
        proposed = await self._post("plans/1/proposal", "clinician", {"content": content})
        self._plan_hash = proposed["detail"]["plan_hash"]
        for role in self._protocol.plan.approver_roles:
            await self._post("plans/1/approvals", role, headers={"If-Match": f'"{self._plan_hash}"'})
        self._tell("plan approved by two people")

    async def _prepare(self) -> None:
        await furnish(self._clinic)
        for number in range(self._protocol.therapy.preparation_sessions):
            await self._be(self._morning(1))
            await self._post("preparations", "therapist", {"held_at": self._now.isoformat()})
            self._tell(f"preparation {number + 1} held")

    async def _receive_drug(self) -> None:
        label = container_label(self._protocol)
        received = await self._clinic.post(f"/v1/custody/{DEMO_SITE}/containers", "nurse", label)
        self._container = received["container_id"]

    async def _treat(self) -> None:
        await self._receive_drug()
        for dose in range(1, self._protocol.schedule.first.sessions + 1):
            await self._session(dose)
            if dose in self._protocol.decisions.review_after_doses:
                await self._decide(dose)

    async def _session(self, n: int) -> None:
        part, where = f"session/{n}", f"sessions/{n}"
        await self._be(self._now, part)
        starts = self._next_visit()
        times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=4)).isoformat()}
        held = await self._post(f"{where}/holds", "coordinator", times)
        await self._post(f"{where}/booking", "coordinator", {"hold_id": held["booking"]["id"]})
        answers = {
            "escort_name_present": True,
            "escort_phone": "+1 202 555 0188",
            "escort_confirmed": True,
            "will_fast": True,
            "will_avoid_substances": True,
            "medication_changes": False,
            "illness": False,
            "pregnancy_possible": False,
            "consent_in_force": True,
            **({"rems_enrolled": True} if self._protocol.drug is Drug.ESKETAMINE else {}),
        }
        await self._post(f"{where}/readiness", "coordinator", {"answers": answers})
        self._tell(f"session {n}: booked, ready")
        await self._be(starts, part)
        await self._post(f"{where}/check-in", "nurse", self._patient.check_in(starts))
        score = RESPONSE[min(n - 1, len(RESPONSE) - 1)] if n > 1 else RESPONSE[0]
        await self._post(f"{where}/questionnaires", "nurse", {"questionnaires": self._patient.forms(score)})
        order = await self._post(
            f"{where}/order",
            "prescriber",
            {
                **ordered_dose(self._protocol, n),
                "capacity_today": True,
                "consent_reaffirmed": True,
                "new_psychosis_or_mania": False,
                "caution_attested": "benefit outweighs the risk today",
            },
        )
        dose_mg = order["order"]["dose_mg"]
        given = await self._post(
            f"{where}/dose",
            "nurse",
            {
                "dose_mg": float(dose_mg),
                "plan_hash": self._plan_hash,
                **scanned(self._protocol),
                "container_id": self._container,
                "second_check_by": staff_id("prescriber"),
                "monitor_present": True,
                "equipment_checked": True,
            },
        )
        self._tell(f"session {n}: {dose_mg} mg given")
        given_at = datetime.fromisoformat(given["at"])
        self._given.append(PastDose(session=n, given_at=given_at, dose_mg=dose_mg))
        await self._watch(n, given_at, float(dose_mg))
        await self._go_home(n)

    async def _watch(self, n: int, given_at: datetime, dose_mg: float) -> None:
        part, where = f"session/{n}", f"sessions/{n}"
        minutes, running = minutes_of_dose(self._protocol), True
        if minutes == 0:
            running = False
            await self._dose_is_in(n, dose_mg)
        for minute in self._protocol.monitoring.reading_minutes:
            at = given_at + timedelta(minutes=minute)
            await self._be(at, part)
            if minute >= minutes and running:
                running = False
                await self._dose_is_in(n, dose_mg)
            await self._post(f"{where}/observations", "nurse", self._patient.observation(at, minute))
        talk = {"minutes": 60, "themes": "what came up during the session"}
        await self._post(f"{where}/therapy", "therapist", talk)

    async def _dose_is_in(self, n: int, dose_mg: float) -> None:
        ended = {"given_mg": dose_mg, "wasted_mg": 0, "witness": None}
        await self._post(f"sessions/{n}/dose-end", "nurse", ended)
        self._tell(f"session {n}: the dose is in, observing")

    async def _go_home(self, n: int) -> None:
        part, where = f"session/{n}", f"sessions/{n}"
        await self._be(self._now + timedelta(minutes=3), part)
        home = {"escort_present": True, "instructions_given": True}
        await self._post(f"{where}/discharge", "prescriber", home)
        self._tell(f"session {n}: discharged with escort")
        await self._be(self._morning(1), part)
        await self._post(f"{where}/contact", "nurse", {"reached": True})
        await self._be(self._now + timedelta(hours=4), part)
        held = {"held_at": self._now.isoformat(), "note": "integrated"}
        await self._post(f"{where}/integration", "therapist", held)
        self._tell(f"session {n}: called and integrated")

    async def _decide(self, dose: int) -> None:
        await self._clinic_asks("decide-course")
        reason = {"choice": "go-on", "reason": f"reviewed after dose {dose}: improving, tolerated well"}
        await self._post("decisions", "prescriber", reason)

    async def _clinic_asks(self, code: str) -> None:
        """The journey learns of the discharge a moment later; then it asks for the decision."""
        await self._clock.eventually(lambda: self._has_task(code))

    async def _has_task(self, code: str) -> bool:
        return any(task["code"] == code for task in (await self.journey())["open_tasks"])

    async def _follow_up(self) -> None:
        part, where = "follow-up/1", "follow-ups/1"
        await self._clock.until_running(f"{self.journey_id}/{part}")
        last = max(datetime.fromisoformat(d["given_at"]) for d in (await self.journey())["given_doses"])
        times = measurement_times(last.astimezone(UTC), self._protocol, TIME_ZONE)
        for number, (week, due_at) in enumerate(times):
            await self._be(due_at + timedelta(hours=2), part)
            score = FOLLOW_UP[min(number, len(FOLLOW_UP) - 1)]
            checks = self._patient.checks(due_at, [check.code for check in self._protocol.long_term])
            forms = {"questionnaires": self._patient.forms(score), "on_site": False, "checks": checks}
            await self._post(f"{where}/questionnaires", "nurse", forms)
            self._tell(f"follow-up, week {week}: answered")
        await self._clock.eventually(self._over)
