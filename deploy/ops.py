"""How do I look after what runs? `./dev ops COMMAND`, against any environment, configured by KAP_ variables.

Exit status 0: done, or nothing found; 1: something was found, or was refused; 2: a command or a configuration that was
not understood.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from temporalio.service import RPCError

from deploy import ops_migrate, ops_upgrade, ops_versions
from services.process import end_process
from services.settings import SettingsInvalid

COMMANDS = (ops_versions, ops_upgrade, ops_migrate)


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        return int(asyncio.run(options.run(options)))
    except SettingsInvalid as invalid:
        print(f"ops: {invalid}", file=sys.stderr)
        return 2
    except RPCError as error:
        print(f"ops: the engine says: {error.message}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Each module adds its commands; `run` of a command takes the options and answers the exit status."""
    made = argparse.ArgumentParser(prog="./dev ops", description="Look after running journeys.")
    subparsers = made.add_subparsers(dest="command", required=True)
    for module in COMMANDS:
        module.add_to(subparsers)
    return made


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
