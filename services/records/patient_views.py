"""What does the record answer about a person? In clear, for those who may see who it is."""

from datetime import datetime

from services.records.views import View


class PatientView(View):
    """One person in clear, and the ids of the person's courses, newest first."""

    patient_id: str
    site: str
    name: str
    birth_date: str
    sex: str
    email: str | None
    phone_e164: str | None
    mrn: str | None
    language: str
    time_zone: str
    preferred_channel: str
    opted_out_channels: tuple[str, ...]
    detail_opt_in: bool
    registered_at: datetime
    journeys: tuple[str, ...]


class DuplicateCandidate(View):
    """Somebody who may be the same person, and by what: `person` (name and birth date), `phone`, `email`."""

    patient_id: str
    name: str
    birth_date: str
    matched_on: tuple[str, ...]
