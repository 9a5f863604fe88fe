"""Which failures of a service are worth another try? The one table from service errors to engine errors."""

from temporalio.exceptions import ApplicationError

from services.notifications.errors import NotificationError
from services.records.errors import RecordsError, RecordsUnavailable


def as_application_error(error: RecordsError | NotificationError) -> ApplicationError:
    """What does this failure look like to the engine? Only an unavailable world is tried again.

    The text of a service error may name a person's data, so only its type crosses.
    """
    if isinstance(error, RecordsError):
        retriable, code = isinstance(error, RecordsUnavailable), error.code
    else:
        retriable, code = error.retriable, type(error).__name__
    return ApplicationError(code, type=code, non_retryable=not retriable)
