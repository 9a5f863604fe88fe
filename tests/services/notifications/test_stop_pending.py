"""After a withdrawal nothing of the journey leaves but what safety needs."""

import asyncio
from datetime import timedelta

import pytest

from services.notifications.errors import ChannelUnavailable, SendInProgress
from services.notifications.interface import CommunicationStatus, TemplateName
from services.notifications.kinds import MAY_LEAVE_AFTER_STOP
from tests.services.notifications.builders import JOURNEY, MORNING, NIGHT, a_request
from tests.services.notifications.conftest import World


async def test_a_waiting_message_is_stopped_for_good(world: World) -> None:
    await world.service.send(a_request(occurred_at=NIGHT))
    assert await world.service.stop_pending(JOURNEY, "withdrawn") == 1

    result = await world.service.send(a_request(occurred_at=MORNING))
    assert (result.status, result.reason, result.send_at) == (CommunicationStatus.STOPPED, "withdrawn", None)
    assert world.mail.mails == []
    assert await world.service.stop_pending(JOURNEY, "withdrawn") == 0


async def test_a_message_that_was_failing_is_stopped(world: World) -> None:
    world.mail.data_answers = ["451 later"]
    with pytest.raises(ChannelUnavailable):
        await world.service.send(a_request())
    assert await world.service.stop_pending(JOURNEY, "withdrawn") == 1
    assert (await world.service.send(a_request())).status is CommunicationStatus.STOPPED


@pytest.mark.parametrize("template", sorted(TemplateName))
async def test_a_later_message_leaves_only_if_safety_needs_it(world: World, template: TemplateName) -> None:
    await world.service.stop_pending(JOURNEY, "withdrawn")
    takes_start = {"starts_at": "2026-03-05T14:00:00+00:00"}
    parameters = {
        TemplateName.STAFF_PAGE: {"reference": "R7"},
        TemplateName.CONTACT_CODE: {"code": "012345"},
        TemplateName.MESSAGE_ANSWER: {"said": "A person will read it."},
        TemplateName.CLINIC_NOTICE: {},
        TemplateName.VISIT_OFFERED: takes_start | {"due_at": "2026-03-04T14:00:00+00:00"},
        TemplateName.AFTER_VISIT: {},
        TemplateName.QUESTIONNAIRE_DUE: {},
        TemplateName.FOLLOW_UP_DUE: {},
        TemplateName.JOURNEY_PAUSED: {},
        TemplateName.JOURNEY_ENDED: {},
    }.get(template, takes_start)
    result = await world.service.send(a_request(template=template, parameters=parameters))
    allowed = template in MAY_LEAVE_AFTER_STOP
    assert result.status is (CommunicationStatus.COMPLETED if allowed else CommunicationStatus.STOPPED)
    assert len(world.mail.mails) == int(allowed)


async def test_other_journeys_go_on(world: World) -> None:
    await world.service.stop_pending("journey/site-a/other", "withdrawn")
    assert (await world.service.send(a_request())).status is CommunicationStatus.COMPLETED


async def test_a_stop_waits_for_the_message_that_is_on_its_way(world: World) -> None:
    world.mail.hold = asyncio.Event()
    sending = asyncio.create_task(world.service.send(a_request()))
    await world.mail.reached.wait()

    with pytest.raises(SendInProgress):
        await world.service.stop_pending(JOURNEY, "withdrawn")
    world.mail.hold.set()
    assert (await sending).status is CommunicationStatus.COMPLETED
    assert await world.service.stop_pending(JOURNEY, "withdrawn") == 0


async def test_a_failing_message_that_was_on_its_way_does_not_try_again(world: World) -> None:
    world.mail.hold, world.mail.data_answers = asyncio.Event(), ["451 later"]
    sending = asyncio.create_task(world.service.send(a_request()))
    await world.mail.reached.wait()
    with pytest.raises(SendInProgress):
        await world.service.stop_pending(JOURNEY, "withdrawn")
    world.mail.hold.set()

    result = await sending
    assert (result.status, result.reason) == (CommunicationStatus.STOPPED, "withdrawn")
    assert world.mail.mails == []


async def test_a_dead_senders_message_is_stopped_too(world: World) -> None:
    world.mail.hold = asyncio.Event()
    sending = asyncio.create_task(world.service.send(a_request()))
    await world.mail.reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    world.clock.advance(timedelta(seconds=61))
    assert await world.service.stop_pending(JOURNEY, "withdrawn") == 1
    world.mail.hold.set()


async def test_a_reason_is_a_code(world: World) -> None:
    with pytest.raises(ValueError, match="code"):
        await world.service.stop_pending(JOURNEY, "Ana said she is afraid")
