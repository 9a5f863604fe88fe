"""How long may an activity take, and how often is it tried? The only place that says so."""

from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy

from activities.queues import TaskQueue

WRITE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=100),
        backoff_coefficient=2,
        maximum_interval=timedelta(seconds=15),
    ),
    "local_retry_threshold": timedelta(seconds=30),
}
"""A short, keyed database write or read, as a local activity: tried until the database answers."""

SEND_AT_ONCE: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=5),
    "schedule_to_close_timeout": timedelta(seconds=5),
    "retry_policy": RetryPolicy(maximum_attempts=1),
}
"""One quick try, as a local activity, for what a timer set off and nobody waits for; `SEND` follows if it fails."""

PRINT_AT_ONCE: dict[str, Any] = SEND_AT_ONCE
"""One quick try, as a local activity; `PRINT` follows if it fails."""

SEND: dict[str, Any] = {
    "task_queue": TaskQueue.NOTIFY,
    "start_to_close_timeout": timedelta(seconds=60),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_interval=timedelta(minutes=10)
    ),
}
"""A message to a person: tried again and again; the caller adds `schedule_to_close_timeout` from `not_after`."""

PRINT: dict[str, Any] = {
    "task_queue": TaskQueue.NOTIFY,
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_interval=timedelta(minutes=3)
    ),
}
"""A page on its way to a printer that was away: somebody waits for it at the chair."""
