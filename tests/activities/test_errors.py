"""Which failures of a service does the engine try again, and what crosses of their texts?"""

from __future__ import annotations

import pytest

from activities.errors import as_application_error
from services.notifications import errors as notifications
from services.records import errors as records

SECRET = "Ada Example"


def every(base: type[Exception]) -> list[type[Exception]]:
    return [sub for child in base.__subclasses__() for sub in (child, *every(child))]


@pytest.mark.parametrize("kind", every(records.RecordsError))
def test_only_an_unavailable_record_is_tried_again(kind: type[records.RecordsError]) -> None:
    crossed = as_application_error(kind(SECRET))
    assert crossed.type == kind.code
    assert crossed.non_retryable is (kind is not records.RecordsUnavailable)
    assert SECRET not in str(crossed)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (notifications.KeyReused(SECRET), False),
        (notifications.MessageInvalid((SECRET,)), False),
        (notifications.SendInProgress(SECRET), True),
        (notifications.ChannelUnavailable("email", SECRET), True),
    ],
)
def test_a_message_is_tried_again_when_it_can_still_leave(
    error: notifications.NotificationError, again: bool
) -> None:
    crossed = as_application_error(error)
    assert crossed.non_retryable is not again
    assert SECRET not in str(crossed)
