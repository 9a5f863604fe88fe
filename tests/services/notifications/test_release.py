"""What must hold for every decision about a message, whatever the circumstances."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.interface import ChannelName, CommunicationStatus, Contact
from services.notifications.quiet_hours import NIGHT
from services.notifications.release import Circumstances, Hold, Leave, Refuse, release
from tests.services.notifications.builders import NOON, a_contact, a_request

channel_sets = st.frozensets(st.sampled_from(ChannelName))
contacts = st.builds(
    lambda email, phone, preferred, opted_out: a_contact(
        email=email, phone_e164=phone, preferred_channel=preferred, opted_out_channels=opted_out
    ),
    st.sampled_from([None, "", "zephyrine@example.org"]),
    st.sampled_from([None, "", "+12025550143"]),
    st.sampled_from(ChannelName),
    channel_sets,
)
hours = st.integers(-48, 48).map(lambda hour: NOON + timedelta(hours=hour))


@given(
    contacts, hours, hours, st.booleans(), st.sampled_from([None, "withdrawn"]), channel_sets, channel_sets
)
def test_what_every_decision_keeps(
    contact: Contact,
    now: datetime,
    not_after: datetime,
    urgent: bool,
    stop_reason: str | None,
    configured: frozenset[ChannelName],
    refused: frozenset[ChannelName],
) -> None:
    request = a_request(recipient=contact, not_after=not_after, urgent=urgent)
    decision = release(request, Circumstances(now, stop_reason, configured, refused, NIGHT))

    if isinstance(decision, Leave):
        assert stop_reason is None
        assert now <= not_after
        assert decision.channel in configured - refused - contact.opted_out_channels
        assert contact.address(decision.channel)
        assert urgent or not NIGHT.covers(now, contact.time_zone)
    if isinstance(decision, Hold):
        assert not urgent
        assert now < decision.send_at <= not_after
        assert not NIGHT.covers(decision.send_at, contact.time_zone)
    if isinstance(decision, Refuse):
        assert decision.status in {CommunicationStatus.NOT_DONE, CommunicationStatus.STOPPED}
        assert decision.reason
    if stop_reason is not None:
        assert decision == Refuse(CommunicationStatus.STOPPED, stop_reason)


@given(st.sampled_from(ChannelName))
def test_the_preferred_channel_comes_first(preferred: ChannelName) -> None:
    request = a_request(recipient=a_contact(preferred_channel=preferred))
    decision = release(request, Circumstances(NOON, None, frozenset(ChannelName), (), NIGHT))
    assert decision == Leave(preferred)
