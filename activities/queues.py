"""Which kinds of work are there? One task queue each."""

from enum import StrEnum


class TaskQueue(StrEnum):
    JOURNEY = "kap-journey"
    """Workflows, and the short database writes behind a command (local activities)."""

    CLINICAL_IO = "kap-clinical-io"
    """Longer reads and writes of the record."""

    NOTIFY = "kap-notify"
    """Messages to people: slow, outside, retried for hours."""
