"""How can a risk case end? A closed set, chosen by a licensed clinician (clinical facts §6.2)."""

from enum import StrEnum


class Disposition(StrEnum):
    SAFETY_PLAN = "safety-plan"
    REFERRED_TO_EMERGENCY = "referred-to-emergency"
    WELFARE_CHECK = "welfare-check"
    HOSPITALISED = "hospitalised"
    CARE_TRANSFERRED = "care-transferred"
    CONTINUED_WITH_MONITORING = "continued-with-monitoring"
    FALSE_POSITIVE_RECONCILED = "false-positive-reconciled"
    DIED = "died"
