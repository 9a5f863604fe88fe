"""What may this system write to its log, and how?

One JSON object a line, default-deny. Only the keys of ALLOWED pass; the names (never the values) of the
others stand in `dropped_keys`. Values must look like codes, ids or numbers: anything else is withheld too.
`event` is a constant text chosen by the author of the line; arguments are never put into it. Of an exception
only the types and the places (module:line) are written, because messages repeat data.

Lines of other libraries go the same way: of the loggers in CONSTANT_TEXT the unformatted text passes, of all
others only the logger's name, level and place.
"""

import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
import temporalio.activity
import temporalio.workflow
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED = frozenset(
    {
        # what happened, to which journey, by whom
        *("event", "tenant", "journey_id", "step", "actor_id", "actor_role", "decision", "reasons"),
        *("trace_id", "protocol", "build", "level", "timestamp", "logger"),
        # how the machine does
        *(
            "queue",
            "port",
            "duration_ms",
            "status",
            "route",
            "method",
            "attempt",
            "count",
            "worker",
            "signal",
        ),
        *("workflow_id", "workflow_type", "run_id", "activity", "activity_type", "update_id"),
        # what went wrong
        *("error_type", "error_at", "at", "dropped_keys"),
    }
)
# Loggers whose unformatted texts were read and hold no data.
CONSTANT_TEXT = frozenset(
    {"temporalio.workflow", "temporalio.activity", "uvicorn.error", "alembic.runtime.migration", __name__}
)
# The SDK writes to the loggers of our workflows and activities too, and puts errors into some of its texts.
# These are constant.
SDK_FOLDER = str(Path(temporalio.activity.__file__).parent)
SDK_TEXTS = frozenset(
    {
        "Completing activity as failed",
        "Completing as cancelled",
        "Completing asynchronously",
        "Failed completing activity task",
    }
)
ANOTHERS = "line of another library"
TEMPORAL_KEYS = {
    "workflow_id": "workflow_id",
    "workflow_type": "workflow_type",
    "run_id": "run_id",
    "workflow_run_id": "run_id",
    "task_queue": "queue",
    "attempt": "attempt",
    "activity_type": "activity_type",
    "activity_id": "activity",
    "update_id": "update_id",
}
WITHHELD = "withheld"
CODE = re.compile(r"[\w.:/+{}@=<>-]{0,200}", re.ASCII)
UNSAFE_EVENT = re.compile(r"\d{4}|@|\n")
LONGEST_EVENT = 120
DEEPEST_FRAMES = 12
QUIET_LOGGERS = ("uvicorn.access", "httpx2", "httpcore2", "mail.log")


def configure_logging(*, build: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Set up this process's log. Start uvicorn with `log_config=None`, or it puts its own back."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_id,
        _Build(build),
    ]
    written = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, _error, redact, written, _whole],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        _Lines(
            foreign_pre_chain=[_foreign, *shared],
            processors=[
                _error,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                written,
            ],
            use_get_message=False,
        )
    )
    _take_over(handler, level)


class _Whole(str):
    """A line of ours, as it is written."""

    __slots__ = ()


def _whole(logger: WrappedLogger, method: str, line: EventDict) -> _Whole:  # what the renderer has made of it
    return _Whole(line)


class _Lines(structlog.stdlib.ProcessorFormatter):
    """Lines of ours come whole: to take each apart again, as one of another library, doubles what it costs."""

    def format(self, record: logging.LogRecord) -> str:
        return record.msg if type(record.msg) is _Whole else super().format(record)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Let through what is listed and looks like a code; name the rest."""
    kept: EventDict = {}
    dropped: set[str] = set()
    for key, value in event.items():
        if key == "event":
            kept[key] = _event_text(value)
        elif key in ALLOWED and _is_code(value):
            kept[key] = value
        else:
            dropped.add(key if _is_code(key) else WITHHELD)
    if dropped:
        kept["dropped_keys"] = sorted(dropped)
    return kept


def _event_text(text: object) -> str:
    if not isinstance(text, str) or len(text) > LONGEST_EVENT or UNSAFE_EVENT.search(text):
        return WITHHELD
    return text


def _is_code(value: object) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return len(value) <= 100 and all(_is_code(one) for one in value)
    if isinstance(value, str):
        return CODE.fullmatch(value) is not None
    return value is None or isinstance(value, bool | int | float)


def _trace_id(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(context.trace_id))
    return event


class _Build:
    def __init__(self, build: str) -> None:
        self._build = build

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event["build"] = self._build
        return event


def _foreign(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A line of another library: its constant text or none, its listed extras, and where it was written."""
    record: logging.LogRecord = event["_record"]
    event["event"] = _constant_text(record)
    event["at"] = f"{record.module}:{record.lineno}"
    for name, value in record.__dict__.items():
        if name in {"temporal_workflow", "temporal_activity"} and isinstance(value, dict):
            event.update({TEMPORAL_KEYS[key]: value[key] for key in value if key in TEMPORAL_KEYS})
        elif name not in _RECORD_FIELDS:
            event.setdefault(name, value)
    return event


def _constant_text(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str) or record.name not in CONSTANT_TEXT:
        return ANOTHERS
    if record.pathname.startswith(SDK_FOLDER) and record.msg not in SDK_TEXTS:
        return ANOTHERS
    return record.msg.strip()


def _error(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace an exception by its types (with causes) and the places it passed."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error_type"] = [type(one).__name__ for one in _chain(error)]
        event["error_at"] = list(_places(error.__traceback__))[-DEEPEST_FRAMES:]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        yield f"{traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"
        traceback = traceback.tb_next


def _take_over(handler: logging.Handler, level: str) -> None:
    """Send every line of the process through `handler`, uncaught exceptions included."""
    for name in list(logging.root.manager.loggerDict):
        known = logging.getLogger(name)
        known.handlers.clear()
        known.propagate = True
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    logging.raiseExceptions = False  # a failing handler prints the line with its arguments
    logging.captureWarnings(True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Without these Temporal's adapters write the run's details into the text itself.
    temporalio.workflow.logger.workflow_info_on_message = False
    temporalio.activity.logger.activity_info_on_message = False
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger(__name__).critical("uncaught exception", exc_info=(kind, error, traceback))


def _uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None:
        _uncaught(failure.exc_type, failure.exc_value, failure.exc_traceback)


_RECORD_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}
