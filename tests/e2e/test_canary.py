"""Does anything about a patient lie about in clear? Canaries go in at every door of the running system.

They must be in the record, for those who may read it, and nowhere else: not in a file of the database, of the
engine or of a log, not in a search attribute, a memo or an id, not in a trace or a metric. A mail may address the
person, nothing more.
"""

from __future__ import annotations

import asyncio
import base64
import json
import quopri
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from psycopg import sql
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from clinical.people import Role
from clinical.protocol import Indication
from clinical.safety_plan import SafetyPlan
from deploy.demo import SAMPLE
from deploy.demo_clinic import Refused, tokens_of
from deploy.demo_story import TIME_ZONE, Story
from deploy.local import LocalOptions, LocalSystem
from deploy.tokens import DEMO_SITE
from deploy.virtual_clock import VirtualClock
from services.database import Database
from services.encryption import ENCODING, FieldCipher
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.temporal import connect
from tests.e2e.canaries import (
    ADDRESS,
    BORN,
    CITY,
    CLINICAL,
    EMAIL,
    IDENTITY,
    MRN,
    NAME,
    PHONE,
    PHONE_E164,
    WORDS,
    Hunt,
    Planting,
    a_referral,
)
from tests.e2e.trace_sink import TraceSink

ANYTHING = Hunt(*IDENTITY, *CLINICAL)
IN_A_MAIL = Hunt(PHONE, PHONE_E164, MRN, ADDRESS, CITY, BORN, *CLINICAL)
"""All but what a letter needs to arrive."""

NO_WORDS = {
    *("unit", "source", "time_zone", "language", "amends", "task_id", "strength"),
    *("alt_u_per_l", "alt_upper_limit_u_per_l"),
}
"""Strings of the API that hold a code, an id or a number."""

DOSED = {"StartWorkflowUpdate:give_dose", "HandleUpdate:give_dose", "RunActivity:record_facts", "INSERT"}
"""The spans of a dose: the first is the API's, the others are of the worker."""

IDENTIFYING = {"name", "email", "phone", "mrn"}
"""These have canaries of their own."""


class CanaryStory(Story):
    """One session with everything that may be said on the way, a risk case, and a withdrawal."""

    async def _screen(self) -> None:
        override = {"rule": "X99", "reason": "", "expires_at": self._morning(9).isoformat()}
        signature = {"eligibility": "eligible", "overrides": [override]}
        with pytest.raises(Refused):  # too early
            await self._post("screenings/1/signature", "prescriber", signature)
        await self._be(self._now, "screening/1")
        told = {"interview": {"current_medications": [""]}}
        await self._post("screenings/1/interview", "clinician", told)
        await super()._screen()

    async def _plan(self) -> None:
        content = {
            "sessions": 1,
            "mg_per_kg": 0.5,
            "max_mg": 40,
            "infusion_minutes": 40,
            "preparation_sessions": 2,
            "goals": "",
        }
        await self._be(self._now, "plan/1")
        proposed = await self._post("plans/1/proposal", "clinician", {"content": content})
        returned = {"plan_hash": proposed["detail"]["plan_hash"], "reason": ""}
        await self._post("plans/1/rejections", "therapist", returned)
        await super()._plan()

    async def _treat(self) -> None:
        await self._receive_drug()
        await self._session(1)
        await self._speak_apart()
        await self._post("adverse-events", "nurse", _an_adverse_event(self._now.isoformat()))
        await self._risk()
        await self._post("pause", "coordinator", {"reason": ""})
        await self._post("resume", "medical-director", {"reason": ""})
        await self._post("withdrawal", "coordinator", {"reason": "", "channel": "phone"})
        await self.until_over()

    async def _speak_apart(self) -> None:
        """What is kept apart: notes, what was added, who broke the glass; and the concerns of the next day."""
        await self._post("sessions/1/concerns-review", "prescriber", {"assessment": ""})
        with pytest.raises(Refused):  # it was held
            await self._post("sessions/1/integration-waiver", "therapist", {"reason": ""})
        with pytest.raises(Refused):  # and the same words again are a note that nothing names
            await self._post("sessions/1/integration", "therapist", {"held_at": _NEVER, "note": ""})
        notes = (await self._clinic.get(f"{self.path}/therapy-notes", "therapist"))["items"]
        await self._post(f"therapy-notes/{notes[0]['note_id']}/amendments", "therapist", {"text": ""})
        broken = await self._post("therapy-notes/break-glass", "medical-director", {"reason": ""})
        review = f"/v1/break-glass/{DEMO_SITE}/{broken['glass_id']}/review"
        await self._clinic.post(review, "auditor", {"verdict": "justified", "comment": ""})

    async def _risk(self) -> None:
        await self._be(self._now, "session/2")
        answers = {"q1": 1, "q2": 1, "q3": 0, "q4": 0, "q5": 0, "q6": 0}
        screen = {"questionnaires": [{"instrument": "c-ssrs-screener", "answers": answers}]}
        await self._post("sessions/2/questionnaires", "nurse", screen)
        case = f"risk-cases/{(await self.journey())['risk_cases'][0]['case_id']}"
        await self._clock.until_running(f"{self.journey_id}/risk/{case.rpartition('/')[2]}")
        await self._post(f"{case}/acknowledgement", "therapist")
        closed = {"disposition": "continued-with-monitoring", "note": "", "without_plan": ""}
        await self._post(f"{case}/resolution", "prescriber", closed)
        raised = await self._post("concerns", "coordinator", {"text": "", "on_site": True})
        worry = raised["detail"]["case_id"]
        await self._clock.until_running(f"{self.journey_id}/risk/{worry}")
        await self._post(
            "safety-plans", "therapist", {"plan": {part: [""] for part in SafetyPlan.model_fields}}
        )
        closed = {"disposition": "safety-plan", "note": ""}
        await self._post(f"risk-cases/{worry}/resolution", "prescriber", closed)
        later = {"outcome": "reached", "note": "", "worried": True}
        await self._post(f"risk-cases/{worry}/contacts", "nurse", later)

    async def _follow_up(self) -> None:
        """The course was left."""


_NEVER = "2001-01-01T00:00:00Z"


def _an_adverse_event(at: str) -> dict[str, Any]:
    judged = {"grade": 1, "seriousness": [], "outcome": "recovered"}
    return {"session": 1, "term": "nausea", "onset_at": at, **judged}


@dataclass
class Planted:
    system: LocalSystem
    client: Client
    clinic: Planting
    story: CanaryStory
    traces: TraceSink


@pytest.fixture(scope="module")
async def planted() -> AsyncIterator[Planted]:
    """A system into which everything has been told."""
    traces = TraceSink()
    protocol = load_protocol("iv-racemic")
    referral = a_referral(json.loads(SAMPLE.read_bytes()))
    options = LocalOptions(virtual_time=True, with_ui=False, otlp_endpoint=traces.url)
    async with LocalSystem(options) as system:
        client = await connect(system.settings())
        clinic = Planting(system.base_url, tokens_of(system.issuer_key))
        await clinic.learn(NO_WORDS | IDENTIFYING)
        record = read_referral(json.dumps(referral).encode()).record
        story = CanaryStory(
            clinic, VirtualClock(client), protocol, Indication.DEPRESSION, record, lambda step: None
        )
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        await story.run(referral)
        await _say_what_is_refused(system, clinic, story)
        yield Planted(system, client, clinic, story, traces)
        await clinic.close()
    traces.stop()


async def _say_what_is_refused(system: LocalSystem, clinic: Planting, story: Story) -> None:
    """Errors are where data leaks: into a log, into a trace, into an answer that is kept."""
    someone = {
        "site": DEMO_SITE, "name": " ".join(NAME), "birth_date": BORN, "sex": "male", "email": EMAIL, "mrn": MRN,
        "phone": PHONE_E164, "language": "en", "time_zone": TIME_ZONE, "preferred_channel": "email",
    }  # fmt: skip
    await clinic.post("/v1/patients", "coordinator", {**someone, "confirm_new": True})
    for body in (someone, {**someone, "email": f"{WORDS} @", "diagnosis": WORDS}):
        with pytest.raises(Refused):
            await clinic.post("/v1/patients", "coordinator", body)
    with pytest.raises(Refused):
        await clinic.post(f"{story.path}/pause", "coordinator", {"reason": ""})
    nowhere = story.journey_id.rpartition("/")[2]
    books = f"/v1/custody/{DEMO_SITE}"
    nothing_there: list[tuple[str, str, dict[str, Any]]] = [
        (f"{books}/discrepancies/{nowhere}/1/loss-notice", "medical-director", {"proof": ""}),
        (f"{books}/containers/{nowhere}/return", "nurse", {"amount_mg": 1, "reference": ""}),
        (f"{story.path}/duties/completion", "prescriber", {"task_id": "none", "evidence": ""}),
    ]
    for path, role, said in nothing_there:
        with pytest.raises(Refused):
            await clinic.post(path, role, said)
    token = {"Authorization": f"Bearer {tokens_of(system.issuer_key)['coordinator']}"}
    async with httpx2.AsyncClient(base_url=system.base_url, headers=token) as http:
        for path in (f"/v1/patients/{NAME[1]}", f"/v1/journeys?site={WORDS}", f"/{MRN}"):
            assert (await http.get(path)).is_client_error
        for content in (f'{{"note": "{WORDS}"', f'"{WORDS}"', f'{{"resourceType": "{WORDS}"}}'):
            path = f"/v1/referrals?site={DEMO_SITE}&time_zone=UTC"
            assert (await http.post(path, content=content.encode())).is_client_error


def test_every_free_text_of_the_api_carried_a_canary(planted: Planted) -> None:
    assert planted.clinic.planted == planted.clinic.words
    assert len(planted.clinic.words) >= 10


async def test_who_may_read_the_record_finds_them_there(planted: Planted) -> None:
    """Otherwise nothing was planted, and the other tests say nothing."""
    database = Database(planted.system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(planted.system.settings()))
        entries = await records.entries(planted.story.journey_id)
    finally:
        await database.dispose()
    told = "\n".join(entry.model_dump_json() for entry in entries)
    for field in ("goals", "concerns", "note", "reason"):
        assert f"{WORDS} {field}" in told
    journey = await planted.story.journey()
    assert (journey["stage"], journey["doses"]) == ("withdrawn", 1)
    patient = await planted.clinic.get(f"/v1/patients/{journey['patient_id']}")
    assert (patient["name"], patient["email"], patient["mrn"]) == (" ".join(NAME), EMAIL, MRN)


async def _notes(planted: Planted) -> dict[str, dict[str, Any]]:
    """Every psychotherapy note of the course by its id, as its therapist reads it."""
    address = f"{planted.story.path}/therapy-notes"
    read = [
        await planted.clinic.get(f"{address}/{line['note_id']}", "therapist")
        for line in (await planted.clinic.get(address, "therapist"))["items"]
        if line["amends"] is None
    ]
    return {note["note_id"]: note for answer in read for note in answer["items"]}


async def test_what_was_spoken_of_in_therapy_is_with_its_readers_and_not_in_the_record(
    planted: Planted,
) -> None:
    """Not even encrypted: whoever reads the whole record reads no psychotherapy note."""
    notes = await _notes(planted)
    assert sorted(note["state"] for note in notes.values()) == ["recorded"] * 3 + ["refused"]
    for field in ("themes", "note", "text"):
        assert any(f"{WORDS} {field}" in note["text"] for note in notes.values()), field
    database = Database(planted.system.database_url)
    try:
        cipher = FieldCipher.from_settings(planted.system.settings())
        entries = await SqlRecords(database, cipher).entries(planted.story.journey_id)
    finally:
        await database.dispose()
    told = "\n".join(entry.model_dump_json() for entry in entries)
    assert [note["text"] for note in notes.values() if note["text"] in told] == []
    accesses = f"{planted.story.path}/therapy-notes/accesses"
    log = (await planted.clinic.get(accesses, "medical-director"))["items"]
    assert any(line["act"] == "break-glass" and WORDS in line["reason"] for line in log)


async def test_no_workflow_ever_heard_it(planted: Planted) -> None:
    """With the key in hand: no payload of any history holds a psychotherapy note."""
    codec = planted.client.data_converter.payload_codec
    assert codec is not None
    spoken = Hunt(*(note["text"] for note in (await _notes(planted)).values()))
    found = 0
    async for execution in planted.client.list_workflows():
        handle = planted.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        for event in (await handle.fetch_history()).events:
            for payload in await codec.decode(list(_payloads(event))):
                found += 1
                assert spoken(payload.data) is None
    assert found > 100


def _payloads(message: Any) -> Iterator[Any]:
    """Every encrypted payload in a message of the engine's protocol."""
    if isinstance(message, Payload):
        if message.metadata.get("encoding") == ENCODING:
            yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        parts = (
            value.values() if hasattr(value, "values") else value if hasattr(value, "__len__") else [value]
        )
        for part in parts:
            if hasattr(part, "ListFields"):
                yield from _payloads(part)


def test_no_file_of_the_system_holds_one(planted: Planted) -> None:
    """The engine's database with its log, PostgreSQL's files, the log of every process, all else that is kept."""
    folder = planted.system.data_dir
    files = [path for path in folder.rglob("*") if path.is_file() and folder / "mail" not in path.parents]
    names = {path.name for path in files}
    assert {"temporal.db", "api-1.log", "worker-1.log", "temporal.log", "postgres.log"} <= names
    assert _leaks({str(path.relative_to(folder)): _content(path) for path in files}) == {}


async def test_the_engine_shows_none_to_who_has_no_key(planted: Planted) -> None:
    """Ids, search attributes, memos, summaries, inputs, results, failures."""
    bare = await Client.connect(planted.system.temporal_address)
    seen: dict[str, bytes] = {}
    async for execution in bare.list_workflows():
        handle = bare.get_workflow_handle(execution.id, run_id=execution.run_id)
        described = await handle.describe()
        history = await handle.fetch_history()
        seen[f"{execution.id} {execution.run_id}"] = b"".join(
            (
                execution.raw_info.SerializeToString(),
                described.raw_description.SerializeToString(),
                *(event.SerializeToString() for event in history.events),
            )
        )
    for part in ("screening/1", "plan/1", "session/1", "risk/"):
        assert any(name.startswith(f"{planted.story.journey_id}/{part}") for name in seen), part
    assert _leaks(seen) == {}


async def test_no_table_holds_one(planted: Planted) -> None:
    """Every column of every table, whatever the files of the database make of it."""
    rows: dict[str, bytes] = {}
    url = planted.system.database_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        listed = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in await listed.fetchall():
            found = await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            values = [value for row in await found.fetchall() for value in row]
            rows[table] = b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in values)
    for table in (
        "patient",
        "referral",
        "journey",
        "journey_entry",
        "task",
        "risk_case",
        "psychotherapy_note",
    ):
        assert rows[table], table
    assert _leaks(rows) == {}


async def test_no_trace_holds_one_and_each_command_is_one(planted: Planted) -> None:
    """As they are exported: every command went through both processes in one trace, and its log lines say which."""
    folder = planted.system.data_dir / "logs"
    answered, wrote = (_lines(folder / name) for name in ("api-1.log", "worker-1.log"))
    dosed = next(line for line in answered if line.get("route", "").endswith("/dose"))["trace_id"]
    kept = [line["trace_id"] for line in wrote if "dose.given" in line.get("step", ())]
    assert kept == [dosed]

    def spans() -> set[str]:
        return {name for _, trace_id, name in planted.traces.spans() if trace_id == dosed}

    async with asyncio.timeout(60):  # they leave a little later, each process for itself
        while not spans() >= DOSED:
            await asyncio.sleep(0.1)
    assert _leaks({str(number): body for number, body in enumerate(planted.traces.bodies)}) == {}


async def test_no_metric_holds_one(planted: Planted) -> None:
    async with httpx2.AsyncClient() as http:
        told = {url: (await http.get(url)).content for url in planted.system.scraped.urls}
    assert b"kap_risk_ack_duration_seconds" in b"".join(told.values())
    assert b"temporal_request_latency_seconds" in b"".join(told.values())
    assert _leaks(told) == {}
    ids = [planted.story.journey_id.rpartition("/")[2].encode(), DEMO_SITE.encode()]
    assert [url for url, text in told.items() if any(one in text for one in ids)] == []


def _lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_a_mail_addresses_the_person_and_says_nothing_else(planted: Planted) -> None:
    mails = planted.system.smtp.messages
    to_the_patient = [mail for mail in mails if EMAIL in mail.recipients]
    assert len(to_the_patient) >= 3
    for mail in mails:
        for content in (mail.raw, mail.subject.encode(), mail.body.encode()):
            assert IN_A_MAIL(content) is None
        if mail not in to_the_patient:
            assert ANYTHING(mail.raw) is None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # the database removes files of its own at any time
        return b""


def _leaks(places: dict[str, bytes]) -> dict[str, bytes]:
    return {name: found for name, content in places.items() if (found := ANYTHING(content)) is not None}


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "é"])
@pytest.mark.parametrize("word", [WORDS, NAME[1], MRN])
def test_the_hunt_finds_a_word_in_every_form(word: str, before: str) -> None:
    text = f"{before}{word} and more"
    hunt = Hunt(word)
    for content in (
        text.encode(),
        text.upper().encode(),
        json.dumps(text).encode(),
        base64.b64encode(text.encode()),
        text.encode().hex().encode(),
        text.encode("utf-16-le"),
        quote(text).encode(),
        quopri.encodestring(text.encode()),
    ):
        assert hunt(content) is not None, content
    assert hunt(b"something else entirely" * 50) is None
