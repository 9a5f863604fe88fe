"""What must hold for every decision about a message, whatever the circumstances."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.interface import ChannelName, CommunicationStatus, Contact
from services.notifications.quiet_hours import NIGHT
from services.notifications.release import Circumstances, Hold, Leave, Refuse, release
from tests.services.notifications.builders import NOON, a_contact, a_request

channel_sets = st.frozensets(st.sampled_from(ChannelName))
ZONES = ("America/New_York", "America/Phoenix", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu")
NIGHTS_OF_CHANGE = (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC))
"""Days of 23 and of 25 hours in New York; of 23.5, 24.5 and others elsewhere around them."""
contacts = st.builds(
    lambda email, phone, preferred, opted_out, unverified, bad, zone: a_contact(
        email=email,
        phone_e164=phone,
        preferred_channel=preferred,
        opted_out_channels=opted_out,
        unverified_channels=unverified,
        bad_channels=bad,
        time_zone=zone,
    ),
    st.sampled_from([None, "", "zephyrine@example.org"]),
    st.sampled_from([None, "", "+12025550143"]),
    st.sampled_from(ChannelName),
    channel_sets,
    channel_sets,
    channel_sets,
    st.sampled_from(ZONES),
)
hours = st.builds(
    lambda near, quarters: near + timedelta(minutes=15 * quarters),
    st.sampled_from((NOON, *NIGHTS_OF_CHANGE)),
    st.integers(-192, 192),
)


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
        assert decision.channel not in contact.unverified_channels | contact.bad_channels
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
