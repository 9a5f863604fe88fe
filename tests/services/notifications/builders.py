"""Messages, contacts and a clock for the tests of the notification service."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notifications.interface import Contact, SendRequest, TemplateName

NOON = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)  # 12:00 in New York
NIGHT = datetime(2026, 3, 4, 3, 30, tzinfo=UTC)  # 22:30 in New York
MORNING = datetime(2026, 3, 4, 13, 0, tzinfo=UTC)  # 08:00 in New York, the end of the quiet hours
JOURNEY = "journey/site-a/01JNE8S2V6C4Q6T5A3M1K9X7ZB"


@dataclass
class Clock:
    """The wall clock, moved by hand."""

    now: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


def a_contact(**changes: Any) -> Contact:
    return Contact.model_validate(
        {
            "name": "Zephyrine Quillfeather",
            "email": "zephyrine@example.org",
            "phone_e164": "+12025550143",
            "time_zone": "America/New_York",
        }
        | changes
    )


def a_request(**changes: Any) -> SendRequest:
    return SendRequest.model_validate(
        {
            "key": f"{JOURNEY}/session/1/reminder",
            "journey_id": JOURNEY,
            "site": "site-a",
            "patient_id": "01JNE8S2V6C4Q6T5A3M1K9X7ZC",
            "recipient": a_contact(),
            "template": TemplateName.SESSION_REMINDER,
            "parameters": {"starts_at": "2026-03-05T14:00:00+00:00"},
            "occurred_at": NOON,
            "not_after": NOON + timedelta(days=1),
        }
        | changes
    )
