"""How are running journeys looked after? `./dev ops COMMAND`, against any environment.

What is looked at comes from the engine, by the same KAP_ settings as the workers have;
what is done goes through the API (`--api`, else KAP_OPS_API) as the person of KAP_OPS_TOKEN, so that roles are checked
and each act stands in the audit. What is only looked at is noted there too, as the same person (`deploy.ops.noting`).
Answers hold codes and opaque ids only. Exit status: 0 done, 1 something failed or is stuck, 2 refused, or the
configuration is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from rich.console import Console
from temporalio.service import RPCError

from deploy.ops import migrating, upgrading, versions
from deploy.ops.acting import ACTS, Desk, act_on_many, approve, follow, reset
from deploy.ops.door import Api, Refused
from deploy.ops.looking import find, stuck, why
from deploy.ops.noting import NOTED, note, noted
from deploy.ops.saved_queries import BY_NAME, SAVED
from services.process import end_process
from services.settings import Settings, SettingsInvalid


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./dev ops", description=__doc__.split("\n\n", 1)[0])
    top.add_argument("--json", action="store_true", help="one JSON object instead of words")
    ways = top.add_subparsers(dest="way", required=True, metavar="COMMAND")
    names = ", ".join(one.name for one in SAVED)
    looking = ways.add_parser("find", help="run a saved query", description=f"The saved queries: {names}.")
    looking.add_argument("name", choices=sorted(BY_NAME), metavar="NAME")
    looking.add_argument("--site", help="of this site only")
    looking.add_argument("--build", help="the one that is current (left-behind; default: KAP_BUILD)")
    looking.set_defaults(look=find)
    asking = ways.add_parser("why", help="what does a journey, or a part of one, wait for?")
    asking.add_argument(
        "journey", metavar="JOURNEY", help="journey/SITE/ID, or a part: journey/SITE/ID/session/2"
    )
    asking.set_defaults(look=why)
    failing = ways.add_parser("stuck", help="which workflows cannot go on?")
    failing.add_argument("--site")
    failing.set_defaults(look=stuck)
    for name in ACTS:
        _many(ways.add_parser(name, help=f"{name} many courses: preview, confirm, report"))
    second = ways.add_parser("approve", help="as a second person: approve what somebody else has looked at")
    report = ways.add_parser("report", help="how far is an operation, and what became of each?")
    for one in (second, report):
        one.add_argument("operation", metavar="SITE/ID", help="as the preview printed it")
    second.add_argument("--api")
    second.add_argument("--confirm", required=True, metavar="TOKEN")
    back = ways.add_parser("reset", help="take up a failed step")
    back.add_argument("journey", metavar="JOURNEY")
    back.add_argument("--reason", required=True)
    back.add_argument("--api")
    for of_releases in (versions, upgrading, migrating):
        of_releases.add_to(ways)
    for name in NOTED:
        ways.choices[name].add_argument("--api")
    return top


def _many(way: argparse.ArgumentParser) -> None:
    way.add_argument("site", metavar="SITE")
    way.add_argument("--reason", default="", help="a code, as storm: for the preview")
    way.add_argument("--stage", help="all open courses in this stage (default: all of the site)")
    way.add_argument("--course", action="append", metavar="ID", help="this one; may be given again")
    way.add_argument("--operation", metavar="ID", help="with --confirm: the preview that is meant")
    way.add_argument(
        "--confirm", metavar="TOKEN", help="do exactly what the preview showed, or what failed of it"
    )
    way.add_argument("--api")


def main(arguments: Sequence[str]) -> int:
    given = parser().parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False)
    try:
        return asyncio.run(run(given, console))
    except SettingsInvalid as invalid:
        return refuse(str(invalid))
    except Refused as refused:
        return refuse(str(refused))
    except (RPCError, RuntimeError) as error:
        return refuse(f"the engine did not answer: {error}")
    except KeyboardInterrupt:
        return 130


async def run(given: argparse.Namespace, console: Console) -> int:
    if given.way == "migrate":  # brings its own token
        return await migrating.run(given)
    settings = Settings.from_environment() if "look" in given or "run" in given else None
    address = given.api or os.environ.get("KAP_OPS_API", "http://127.0.0.1:8000")
    async with Api(address, os.environ.get("KAP_OPS_TOKEN", "")) as api:
        if settings is not None and "look" in given:
            return await noted(api, given, given.look(settings, given, console))
        if given.way in NOTED:
            await note(api, given)
        if settings is not None:
            return int(await given.run(settings, given))
        desk = Desk(api, console, as_json=given.json)
        match given.way:
            case "approve":
                return await approve(desk, given)
            case "report":
                return await follow(desk, *given.operation.split("/", 1))
            case "reset":
                return await reset(desk, given)
            case _:
                return await act_on_many(desk, given)


def refuse(reason: str) -> int:
    print(f"ops: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
