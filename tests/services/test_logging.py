"""Nothing that is not listed reaches the log, whoever writes the line."""

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logging import ALLOWED, WITHHELD, redact

CANARIES = ("Zephyrine", "2025550143", "4711", "zephyrine@example.org", "1970-01-31", "afraid")
SAID = "Zephyrine +12025550143 MRN 4711 zephyrine@example.org born 1970-01-31 is afraid"


def run(code: str) -> tuple[list[dict[str, Any]], str]:
    """The log lines of a process of its own, and everything it wrote."""
    program = f"SAID = {SAID!r}\n" + textwrap.dedent(
        """
        import logging, sys
        import structlog, temporalio.activity, temporalio.workflow
        from services.logging import configure_logging
        configure_logging(build="b1", level="DEBUG")
        log = structlog.stdlib.get_logger("kap.test")
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program + textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stdout + done.stderr


def assert_clean(written: str) -> None:
    for canary in CANARIES:
        assert canary not in written


def test_listed_keys_pass() -> None:
    [line], _ = run(
        """
        log.info("plan approved", journey_id="journey/site-a/01J", step="plan", actor_role="prescriber",
                 decision="approved", reasons=["R1", "R2"], duration_ms=1.5, attempt=2)
        """
    )
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "plan approved",
        "journey_id": "journey/site-a/01J",
        "step": "plan",
        "actor_role": "prescriber",
        "decision": "approved",
        "reasons": ["R1", "R2"],
        "duration_ms": 1.5,
        "attempt": 2,
        "level": "info",
        "logger": "kap.test",
        "build": "b1",
    }


def test_other_keys_are_named_and_their_values_dropped() -> None:
    [line], written = run('log.info("patient came", name=SAID, email=SAID, journey_id="journey/site-a/01J")')
    assert line["dropped_keys"] == ["email", "name"]
    assert_clean(written)


WAYS = (
    'log.info("came", decision=SAID)',
    'log.info("came", reasons=["R1", SAID])',
    'log.info("came", reasons={"a": SAID})',
    'log.info("came", step=[[SAID]])',
    'log.info("came", step=type("Step", (), {"__repr__": lambda self: SAID})())',
    "log.info(SAID)",
    'log.info("came %s", SAID)',
    'log.info("came", **{SAID: 1})',
    'log.bind(name=SAID).warning("came")',
    'structlog.contextvars.bind_contextvars(name=SAID); log.info("came")',
    'log.info("came", stack_info=True, name=SAID)',
    'logging.getLogger("sqlalchemy.engine.Engine").warning("SELECT %s", SAID)',
    'logging.getLogger("sqlalchemy.engine.Engine").warning(SAID)',
    'logging.getLogger("anyone").error(SAID, extra={"patient": SAID, "event": SAID, "step": SAID})',
    'logging.getLogger("uvicorn.access").warning("%s", SAID)',
    'logging.getLogger("uvicorn.error").warning("Started server %s", SAID)',
    'logging.getLogger("uvicorn.error").warning("%d", SAID)',
    'logging.getLogger(SAID).warning("came")',
    'logging.getLogger("temporalio.workflow").warning("came", extra={"temporal_workflow": {"memo": SAID}})',
    'temporalio.activity.logger.warning("came %s", SAID)',
    "warnings.warn(SAID)",
)
RAISED = (
    'log.exception("failed")',
    'log.error("failed", exc_info=True)',
    'log.error("failed", exc_info=sys.exc_info()[1])',
    'logging.getLogger("uvicorn.error").exception("Exception in ASGI application\\n")',
    "logging.getLogger('anyone').exception(SAID)",
    'temporalio.activity.logger.exception("failed")',
)
DEEP = """
import warnings
def deep():
    patient = SAID
    try:
        int(SAID)
    except ValueError as cause:
        raise RuntimeError(SAID) from cause
"""


@pytest.fixture(scope="module")
def ways() -> dict[str, dict[str, Any]]:
    """One line for each way, all written by one process."""
    lines, written = run(DEEP + "\n".join(WAYS))
    assert_clean(written)
    return dict(zip(WAYS, lines, strict=True))


@pytest.fixture(scope="module")
def raised() -> dict[str, dict[str, Any]]:
    tries = (f"try:\n    deep()\nexcept RuntimeError:\n    {call}" for call in RAISED)
    lines, written = run(DEEP + "\n".join(tries))
    assert_clean(written)
    return dict(zip(RAISED, lines, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_writing_a_line_leaks(ways: dict[str, dict[str, Any]], way: str) -> None:
    assert_clean(json.dumps(ways[way]))
    assert {"event", "level", "build", "timestamp"} <= ways[way].keys()


@pytest.mark.parametrize("call", RAISED)
def test_an_exception_is_types_and_places_only(raised: dict[str, dict[str, Any]], call: str) -> None:
    line = raised[call]
    assert line["error_type"] == ["RuntimeError", "ValueError"]
    assert all(place.startswith("__main__:") for place in line["error_at"])
    assert len(line["error_at"]) == 2


@pytest.mark.parametrize(
    "code",
    [
        "raise RuntimeError(SAID)",
        "import threading; t = threading.Thread(target=int, args=(SAID,)); t.start(); t.join()",
    ],
)
def test_an_uncaught_exception_does_not_print_itself(code: str) -> None:
    [line], written = run(code)
    assert line["event"] == "uncaught exception"
    assert_clean(written)


def test_texts_of_our_workflows_and_activities_pass_without_their_arguments() -> None:
    lines, _ = run(
        """
        where = {"workflow_id": "journey/site-a/01J", "task_queue": "kap-journey", "attempt": 1}
        logging.getLogger("temporalio.workflow").info(
            "waiting for %s", SAID, extra={"step": "plan", "temporal_workflow": where}
        )
        temporalio.activity.logger.info("recorded")
        """
    )
    assert [line["event"] for line in lines] == ["waiting for %s", "recorded"]
    assert (lines[0]["step"], lines[0]["workflow_id"]) == ("plan", "journey/site-a/01J")
    assert (lines[0]["queue"], lines[0]["attempt"]) == ("kap-journey", 1)


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(ALLOWED)), st.text(max_size=40)))
def test_only_listed_keys_with_codes_pass(event: dict[str, str]) -> None:
    kept = redact(None, "info", dict(event))
    for key, value in kept.items():
        if key == "dropped_keys":
            continue
        assert key in ALLOWED
        assert value in (event[key], WITHHELD)
        assert key == "event" or not any(c.isspace() or not c.isascii() for c in value)
