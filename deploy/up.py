"""How do people use the whole system on one machine? (`./dev up`)

It stays up in real time until Ctrl-C, keeps its data in one folder between runs, and prints where
everything is. Exit status: 0 after Ctrl-C, 2 when it may not start (a port or the folder is taken), 1
when a part failed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.build import build_of
from deploy.child import StartFailed
from deploy.data_folder import DataFolderInUse
from deploy.local import API, MAIL, POSTGRES, ROOT, TEMPORAL, WEB_UI, LocalOptions, LocalSystem
from deploy.ports import LOOPBACK, PortTaken
from deploy.tokens import staff_tokens
from services.process import end_process


@dataclass(frozen=True)
class Kind:
    """What stays up, and by which command of `./dev`."""

    command: str
    says: str
    system: type[LocalSystem]


PORTS = (
    ("--port", API, 8000),
    ("--temporal-port", TEMPORAL, 7233),
    ("--ui-port", WEB_UI, 8233),
    ("--postgres-port", POSTGRES, 0),
    ("--smtp-port", MAIL, 0),
)


UP = Kind("up", "The whole system, staying up in real time.", LocalSystem)


def main(arguments: Sequence[str], kind: Kind = UP) -> int:
    options = options_of(arguments, kind)
    # Plain lines when nobody watches: no colours, nothing overwritten, no breaks inside a token.
    console = Console(soft_wrap=True, highlight=False)
    try:
        asyncio.run(stay_up(options, console, kind))
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("stopped")
        return 0
    except PortTaken as taken:
        free = f"choose another with {option_for(taken.wanted_by)} (0: any free one)"
        return refuse(kind.command, f"{taken}; {free}", 2)
    except DataFolderInUse as used:
        return refuse(kind.command, f"{used}; choose another folder with --data", 2)
    except StartFailed as failed:
        return refuse(kind.command, str(failed), 1)
    return 0


def options_of(arguments: Sequence[str], kind: Kind) -> LocalOptions:
    parser = argparse.ArgumentParser(prog=f"./dev {kind.command}", description=kind.says)
    for flag, part, default in PORTS:
        shown = default or "any free one"
        parser.add_argument(flag, type=port_number, default=default, metavar="N", help=f"{part} ({shown})")
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".kap" / kind.command, metavar="DIR", help="kept between runs"
    )
    parser.add_argument("--otlp", metavar="URL", help="where traces go, by OTLP over HTTP (nowhere)")
    given = parser.parse_args(arguments)
    return LocalOptions(
        data_dir=given.data,
        api_port=given.port,
        temporal_port=given.temporal_port,
        ui_port=given.ui_port,
        postgres_port=given.postgres_port,
        smtp_port=given.smtp_port,
        otlp_endpoint=given.otlp,
        build=build_of(ROOT),
        versioning="auto-upgrade",  # only one build runs here at a time, and it takes over what an earlier one left
    )


def port_number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def option_for(part: str) -> str:
    return next((flag for flag, name, _ in PORTS if name == part), "another option")


def refuse(command: str, reason: str, status: int) -> int:
    print(f"{command}: {reason}", file=sys.stderr)
    return status


async def stay_up(options: LocalOptions, console: Console, kind: Kind = UP) -> None:
    """Run until cancelled by a signal; however it ends, nothing of it is left running."""
    cancel_on_signals()
    with console.status("starting") as status:
        is_up = False

        def progress(step: str) -> None:
            status.update(step)
            if is_up or not console.is_terminal:
                console.print(f"- {step}", markup=False)

        async with kind.system(options, progress) as system:
            tokens = staff_tokens(system.issuer_key)
            seeded = await seed(system.base_url, tokens)
            status.stop()
            announce(system, tokens, seeded, console)
            is_up = True
            try:
                await system.watch()
            finally:
                console.print("stopping ...")


def cancel_on_signals() -> None:
    """The first signal ends the work in good order; later ones must not leave half of it running."""
    work = asyncio.current_task()
    cancelled = False

    def cancel() -> None:
        nonlocal cancelled
        if not cancelled and work is not None:
            work.cancel()
        cancelled = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, cancel)


async def seed(base_url: str, tokens: Mapping[str, str]) -> str | None:
    """Fill an empty system with a small demo clinic; one line that says what is there."""
    if importlib.util.find_spec("deploy.seed") is None:
        return None
    fill: Callable[[str, Mapping[str, str]], Awaitable[str]] = importlib.import_module("deploy.seed").seed
    return await fill(base_url, tokens)


def announce(system: LocalSystem, tokens: Mapping[str, str], seeded: str | None, console: Console) -> None:
    lines = [
        *(f"API             {url}/docs" for url in system.base_urls),
        f"Temporal Web UI {system.ui_url}",
        f"Payloads in it   {system.codec_url} (sign in with a token; without, the Web UI shows ciphertext)",
        f"Temporal        {system.temporal_address}",
        f"PostgreSQL      {LOOPBACK}:{system.postgres.port}, database kap, role kap",
        f"Mail            {LOOPBACK}:{system.smtp.port}, kept in {system.data_dir / 'mail'}",
        f"SMS             {system.sms.url}, kept in {system.data_dir / 'sms'}",
        *(f"{child.name:<15} process {child.pid}" for child in system.children()),
        f"Metrics         {' '.join(system.scraped.urls)}",
        f"Data and logs   {system.data_dir}",
        *([f"Demo clinic     {seeded}"] if seeded else []),
        "",
        "Tokens (Authorization: Bearer ...), one for each role:",
        *(f"{role:<17} {token}" for role, token in tokens.items()),
        "",
        "Ctrl-C stops it.",
    ]
    for line in lines:
        console.print(line, markup=False)


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
