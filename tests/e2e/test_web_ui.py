"""What does an operator see in the Temporal Web UI, in a real browser, with the right to read payloads and without?"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest
from playwright.async_api import Page, async_playwright, expect

from clinical.people import Role
from deploy.demo import protocol_document
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import LocalSystem
from deploy.ops.saved_queries import BY_NAME
from deploy.scraped import TARGETS
from services.access.access import access_on
from services.access.views import AuditFilter
from services.database import Database
from services.encryption import FieldCipher
from services.protocols import load_protocol
from tests.api.conftest import PATIENT

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
QUIETLY = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[LocalSystem]:
    async with LocalSystem() as system:
        yield system


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playing:
        browser = await playing.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        page = await browser.new_page(viewport={"width": 1500, "height": 1100})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        await browser.close()


@pytest.fixture(scope="module")
async def course(system: LocalSystem) -> tuple[str, str]:
    """A course that waits for a consultation: its id, and what only its encrypted input holds."""
    clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
    await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol_document(load_protocol("iv-racemic")))
    patient = await clinic.post("/v1/patients", Role.COORDINATOR, PATIENT | {"confirm_new": True})
    body = {"site": "site-a", "patient_id": patient["patient_id"], "indication": "major-depressive-disorder"}
    journey = await clinic.post("/v1/journeys", Role.COORDINATOR, body)
    await clinic.close()
    return journey["href"].removeprefix("/v1/journeys/"), patient["patient_id"]


async def test_who_may_reads_payloads_and_who_may_not_sees_ciphertext(
    system: LocalSystem, page: Page, course: tuple[str, str]
) -> None:
    workflow, canary = f"journey/{course[0]}", course[1]
    tokens = tokens_of(system.issuer_key)
    await _by_a_saved_query(page, system, workflow)

    await _use_the_codec(page, system)  # as a stranger
    await _open(page, system, workflow)
    await expect(page.locator("#content").get_by_text("Codec Server could not connect")).to_be_visible()
    assert canary not in await page.content()

    await _sign_in(page, system, tokens[Role.OPS])
    await _open(page, system, workflow)
    await expect(
        page.get_by_text("book-consultation").locator("visible=true").first
    ).to_be_visible()  # a timer's summary
    assert canary not in await page.content()
    await page.get_by_text("User Metadata").locator("visible=true").first.click()
    summary, details = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
    await expect(summary.get_by_text("one course of treatment")).to_be_visible()
    waits = details.get_by_role("listitem")
    await expect(waits).to_contain_text("waits for book-consultation by the coordinator since ")

    await _sign_in(page, system, tokens[Role.MEDICAL_DIRECTOR])
    await _open(page, system, workflow)
    await expect(page.get_by_text(canary).locator("visible=true").first).to_be_visible()
    assert {"medical-director"} == await _readers(system)


async def _by_a_saved_query(page: Page, system: LocalSystem, workflow: str) -> None:
    query = quote(BY_NAME["waiting"].query)
    await page.goto(f"{system.ui_url}/namespaces/default/workflows?query={query}")
    await expect(page.get_by_role("link", name=workflow, exact=True)).to_be_visible()


async def _use_the_codec(page: Page, system: LocalSystem) -> None:
    """As the sign-in page says, once for each browser."""
    await page.locator("[data-testid^=data-encoder-status]").click()
    await page.get_by_text("Use my browser setting").click()
    await page.get_by_placeholder("Paste your endpoint here").fill(str(system.codec_url))
    await page.get_by_text("Include cross-origin credentials").click()
    await page.get_by_role("button", name="Apply").click()


async def _sign_in(page: Page, system: LocalSystem, token: str) -> None:
    await page.goto(f"{system.codec_url}/")
    await page.locator("input[name=token]").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("This browser has signed in.")).to_be_visible()


async def _open(page: Page, system: LocalSystem, workflow: str) -> None:
    await page.goto(f"{system.ui_url}/namespaces/default/workflows/{quote(workflow, safe='')}")
    await expect(page.get_by_role("textbox", name="Input", exact=True)).to_be_visible()


async def _readers(system: LocalSystem) -> set[str]:
    database = Database(system.database_url)
    access = access_on(database, FieldCipher.from_settings(system.settings()))
    found = await access.audit.events("site-a", AuditFilter(act="decode_payloads"))
    await database.dispose()
    return {one.actor_role for one in found}


async def test_the_codec_of_the_local_system_is_healthy(system: LocalSystem) -> None:
    async with httpx2.AsyncClient(base_url=str(system.codec_url)) as client:
        assert (await client.get("/healthz")).json()["status"] == "up"
        groups = json.loads((system.data_dir / TARGETS).read_text())
        (codec,) = [group["targets"] for group in groups if group["labels"]["job"] == "kap-codec"]
        told = [(await client.get(f"http://{target}/metrics")).text for target in codec]
    assert ["kap_codec_decoded_total" in one for one in told] == [True]
