"""Does a patient take or leave an offered time by their link, once, in time, and nobody else's?"""

from __future__ import annotations

from datetime import timedelta

from clinical.people import Role
from services.booking.interface import BookingView
from services.links.interface import NewLink, Purpose
from tests.api.booking_site import BOOKINGS, a_booking, a_site, statuses, wednesday
from tests.api.conftest import PATIENT, Clinic
from tests.api.link_holder import Browser, a_browser
from tests.api.test_booking import let_time_pass
from tests.api.test_waiting_and_closures import asked, in_line, lines
from workflows.messages import BookSession

HER_BIRTH_DATE = "1980-02-29"


async def offered(clinic: Clinic, waiting: int = 2) -> list[str]:
    """A freed time that the first of so many courses is asked about."""
    await a_site(clinic)
    booked = await clinic.a_journey(key="booked")
    await a_booking(clinic, booked, wednesday(9))
    courses = []
    for n in range(waiting):
        patient = await clinic.a_patient(birth_date=HER_BIRTH_DATE, name=f"Somebody {n}", confirm_new=True)
        courses.append(await clinic.a_journey(key=f"c{n}", patient_id=patient))
        await in_line(clinic, courses[-1])
    answer = await clinic.coordinator.post(f"{booked}/sessions/1/cancellation", {"reason": "flu"})
    assert answer.status_code == 200, answer.text
    return courses


async def offer_to(clinic: Clinic, course: str) -> BookingView:
    found = await clinic.here.bookings.of_session(f"journey/{course.removeprefix('/v1/journeys/')}", 1)
    return found[-1]


async def link_of(clinic: Clinic, course: str) -> str:
    """The path of the link that the message of the offer carries."""
    offer = await offer_to(clinic, course)
    assert offer.expires_at is not None
    journey = await clinic.here.queries.journey([offer.site], offer.journey_id)
    new = NewLink(
        cause=f"{offer.journey_id}/session/1/offer/{offer.id}",
        journey_id=offer.journey_id,
        site=offer.site,
        patient_id=journey.patient_id,
        purpose=Purpose.OFFER,
        part="session/1",
        occurrence=offer.id,
        expires_at=offer.expires_at,
        made_by="engine",
    )
    _, token = await clinic.here.links.make(new)
    return f"/l/{token}"


async def proved(browser: Browser, path: str) -> str:
    """What is shown once the birth date is given."""
    assert (await browser.prove(path, HER_BIRTH_DATE)).status_code == 303
    return (await browser.get(path)).text


async def test_an_offer_is_taken_once_by_its_patient_only(clinic: Clinic) -> None:
    first, _ = await offered(clinic)
    path = await link_of(clinic, first)
    async with a_browser(clinic.app) as browser:
        before = await browser.get(path)
        assert "date of birth" in before.text and "earlier" not in before.text
        assert (await browser.post(f"{path}/accept")).headers["location"] == path
        assert (await browser.prove(path, PATIENT["birth_date"])).status_code == 422
        shown = await proved(browser, path)
        assert "Yes, I take this time" in shown
        assert (await browser.get(f"{path}/accept")).status_code == 410  # looking never acts
        taken = await browser.post(f"{path}/accept")
        assert (taken.status_code, "is yours" in taken.text) == (200, True)
        offer = await offer_to(clinic, first)
        assert (offer.status, offer.starts_at) == ("booked", wednesday(9))
        heard = [message for _, _, message in clinic.engine.heard if isinstance(message, BookSession)]
        assert (heard[-1].starts_at, heard[-1].actor.role) == (wednesday(9), Role.PATIENT)
        again = await browser.post(f"{path}/accept")
        assert again.headers["location"] == path
        assert "is yours" in (await browser.get(path)).text
        assert len(heard) == sum(isinstance(one, BookSession) for _, _, one in clinic.engine.heard)
    async with a_browser(clinic.app) as other:
        assert (await other.get(path)).status_code == 410
    assert await asked(clinic) == []


async def test_who_leaves_it_waits_on_and_the_next_is_asked(clinic: Clinic) -> None:
    first, second = await offered(clinic)
    path = await link_of(clinic, first)
    async with a_browser(clinic.app) as browser:
        await proved(browser, path)
        left = await browser.post(f"{path}/decline", lang="es")
        assert (left.status_code, "Nothing has changed" in left.text) == (200, True)
        assert "Nothing has changed" in (await browser.get(path)).text
    ids = [course.rpartition("/")[2] for course in (first, second)]
    assert await lines(clinic) == [(ids[0], "waiting"), (ids[1], "offered")]
    assert [course for course, _, _ in await asked(clinic)] == [second]


async def test_who_comes_too_late_hears_that_it_is_gone_and_the_next_keeps_it(
    clinic: Clinic, database_url: str
) -> None:
    first, second = await offered(clinic)
    path = await link_of(clinic, first)
    clinic.clock.forward = timedelta(minutes=30)
    async with a_browser(clinic.app) as browser:
        await proved(browser, path)
        let_time_pass(database_url)  # while the page stands open; nobody has swept
        late = await browser.post(f"{path}/accept")
        assert (late.status_code, "This time has gone" in late.text) == (410, True)
        await clinic.here.bookings.offer_freed(clinic.here.booking_facts.rules, wednesday(8, weeks=0))
        offer = await offer_to(clinic, second)
        assert offer.status == "pending"
        late = await browser.post(f"{path}/accept?lang=es")
        assert (late.status_code, "earlier" in late.text) == (410, False)
        clinic.clock.forward = timedelta(minutes=61)  # the link itself has run out
        assert "This time has gone" in (await browser.get(path)).text
    assert await statuses(clinic, offer.id) == ["pending"]
    assert not any(isinstance(one, BookSession) and one.actor.role is Role.PATIENT
                   for _, _, one in clinic.engine.heard)  # fmt: skip


async def test_an_offer_that_the_clinic_answered_leaves_a_dead_link(clinic: Clinic) -> None:
    first, _ = await offered(clinic)
    path = await link_of(clinic, first)
    links = f"{first}/links"
    assert [one["state"] for one in (await clinic.coordinator.get(links)).json()["items"]] == ["open"]
    answer = await clinic.coordinator.post(f"{first}/sessions/1/waitlist/acceptance", {}, key="by phone")
    assert answer.status_code == 200
    async with a_browser(clinic.app) as browser:
        gone = await browser.get(path)
        assert (gone.status_code, "does not work" in gone.text) == (410, True)  # no word of an offer
    assert [one["state"] for one in (await clinic.coordinator.get(links)).json()["items"]] == ["outdated"]
    by_hand = {"purpose": "offer", "of": "session", "number": 1}
    assert (await clinic.coordinator.post(links, by_hand)).status_code == 422
    assert (await clinic.coordinator.get(f"{BOOKINGS}/waitlist")).json()["items"] != []
