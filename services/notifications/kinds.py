"""What does a message of each kind hold, what may it still do after a stop, and does it ask for a reply?"""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from services.notifications.interface import TemplateName


class TemplateParameters(BaseModel):
    """`*_at` are ISO 8601 instants with offset; `link` is an http(s) address; the rest short plain text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def _takes(*required: str, optional: tuple[str, ...] = ()) -> TemplateParameters:
    return TemplateParameters(required=frozenset(required), optional=frozenset(optional))


TEMPLATE_PARAMETERS: Mapping[TemplateName, TemplateParameters] = MappingProxyType(
    {
        TemplateName.CONSULTATION_BOOKED: _takes("starts_at", optional=("clinic_phone",)),
        TemplateName.SESSION_BOOKED: _takes("starts_at", optional=("link", "clinic_phone")),
        TemplateName.SESSION_REMINDER: _takes("starts_at", optional=("link", "clinic_phone")),
        TemplateName.SESSION_MOVED: _takes(
            "starts_at", optional=("link", "previous_starts_at", "clinic_phone")
        ),
        TemplateName.SESSION_CANCELLED: _takes("starts_at", optional=("clinic_phone",)),
        TemplateName.VISIT_OFFERED: _takes("starts_at", "due_at", optional=("link", "clinic_phone")),
        TemplateName.AFTER_VISIT: _takes(optional=("clinic_phone", "next_contact_at")),
        TemplateName.QUESTIONNAIRE_DUE: _takes(optional=("due_at", "link")),
        TemplateName.FOLLOW_UP_DUE: _takes(optional=("due_at", "link", "clinic_phone")),
        TemplateName.JOURNEY_PAUSED: _takes(optional=("clinic_phone",)),
        TemplateName.JOURNEY_ENDED: _takes(optional=("clinic_phone",)),
        TemplateName.STAFF_PAGE: _takes("reference", optional=("due_at", "link")),
        TemplateName.CONTACT_CODE: _takes("code"),
        TemplateName.MESSAGE_ANSWER: _takes("said"),
        TemplateName.CLINIC_NOTICE: _takes(optional=("clinic_phone",)),
    }
)

# After a withdrawal: staff are paged, a cancelled visit is said, the way home stays safe, who writes is answered.
MAY_LEAVE_AFTER_STOP = frozenset(
    {
        TemplateName.STAFF_PAGE,
        TemplateName.CONTACT_CODE,
        TemplateName.MESSAGE_ANSWER,
        TemplateName.SESSION_CANCELLED,
        TemplateName.AFTER_VISIT,
        TemplateName.JOURNEY_ENDED,
    }
)


ASKS_FOR_A_REPLY = frozenset(
    {TemplateName.SESSION_BOOKED, TemplateName.SESSION_REMINDER, TemplateName.SESSION_MOVED}
)
"""A text message of these says how to answer it, and is about the visit that a reply is about."""
