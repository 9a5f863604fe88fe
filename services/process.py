"""How does a process of this system settle once it is up, and how does it end?

A process that used the Temporal SDK may abort while the interpreter shuts down, after all its work is done
(`Fatal Python error: PyGILState_Release`, exit status 134). So nothing of ours leaves through the own exit of
the interpreter: everything is flushed and the process ends at once, with the status that the work deserved.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from typing import NoReturn

YOUNG = 10_000
"""So many new objects before the collector looks for cycles among them; Python's 700 is one request of ours."""


def settle_memory() -> None:
    """What is loaded by now stays until the end: the collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


def end_process(code: int) -> NoReturn:
    """End this process now with `code`. Exit handlers and destructors do not run: close things before."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        # A closed pipe must not change the exit status.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
