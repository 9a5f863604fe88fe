"""How does a process of this system begin, settle once it is up, and end?

A process that used the Temporal SDK may abort while the interpreter shuts down, after all its work is done
(`Fatal Python error: PyGILState_Release`, exit status 134). So nothing of ours leaves through the own exit of
the interpreter: everything is flushed and the process ends at once, with the status that the work deserved.

This is imported first of all, so it imports little.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

YOUNG = 10_000
"""So many new objects before the collector looks for cycles among them; Python's 700 is one request of ours."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_when_asked(code: int = 0, said: str = "") -> None:
    """Whoever asks this process to stop is obeyed at once, until something takes the signals over that has work to
    finish. Without this the first seconds of a start end by the signal, and as the first process of a container it
    would not even be heard."""

    def end(*_: object) -> None:
        with contextlib.suppress(OSError):
            os.write(2, said.encode())  # the stream may be in the middle of a line
        end_process(code)

    for number in STOP_SIGNALS:
        signal.signal(number, end)


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Import what the process consists of in here: nothing of it dies, so the collector need not look on.

    Python looks through all that is there whenever it has grown by a quarter: 10 to 15 % of a start. What is loaded
    in here is not looked at afterwards either; of 400,000 objects 1,500 would have been let go.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def settle_memory() -> None:
    """What is loaded by now stays until the end: the collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def end_process(code: int) -> NoReturn:
    """End this process now with `code`. Exit handlers and destructors do not run: close things before."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # Neither a closed pipe must change the exit status, nor a signal that came while the stream was written to.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    os._exit(code)
