"""How does a failed activity look to the workflow that called it?

A regular activity fails with an `ActivityError` that holds the cause, a local one with the cause itself: whoever
catches only the first lets every failure of a local activity through.
"""

from temporalio import exceptions
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

ACTIVITY_FAILED = (ActivityError, ApplicationError, exceptions.TimeoutError)


def failure_code(error: FailureError) -> str:
    """The type that the activity gave its failure, empty if it could not say."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause.type or "" if isinstance(cause, ApplicationError) else ""
