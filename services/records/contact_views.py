"""What does the record answer about how a person is reached? In clear, for those who may see who it is."""

from datetime import datetime
from enum import StrEnum

from services.records.view import View


class ContactState(StrEnum):
    """What is known of one address. Messages go to `stated` and `verified` ones only, details to `verified` ones.

    `stated`: told when the person was registered or referred. Whatever is changed later is `unverified` until the
    code that was sent there came back; `bad`: the provider says that it reaches nobody.
    """

    STATED = "stated"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    BAD = "bad"


class ContactView(View):
    """How one person is reached; `version` changes with every change."""

    patient_id: str
    site: str
    version: int
    email: str | None
    email_state: ContactState
    phone_e164: str | None
    phone_state: ContactState
    language: str
    time_zone: str
    preferred_channel: str
    opted_out_channels: tuple[str, ...]
    detail_opt_in: bool

    def address(self, channel: str) -> str | None:
        return self.email if channel == "email" else self.phone_e164

    def state(self, channel: str) -> ContactState:
        return self.email_state if channel == "email" else self.phone_state


class ContactChangeView(View):
    """One change: `was` and `now` hold the fields that differ. `source`: api, sms, provider, code or link."""

    version: int
    source: str
    actor_id: str
    actor_role: str
    at: datetime
    was: dict[str, object]
    now: dict[str, object]
