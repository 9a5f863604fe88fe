"""What does a referral bundle alone settle? `./dev screen FILE…`, without a server.

One line for each bundle, or with `--json` one JSON object for each, with all reasons. A bundle that cannot be
read gets one line on the error stream, the others are still done, and the exit status is 2; it is 0 for every
answer.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from clinical.decision import Reason, Verdict
from clinical.protocol import Indication, Protocol
from clinical.screening import ScreeningResult, triage
from services.fhir.bundle import LARGEST_BYTES, UnreadableBundle, read_referral
from services.process import end_process
from services.protocols import ProtocolInvalid, load_protocol

_CLASSES = {
    Verdict.REFUSE: "ABS",
    Verdict.REVIEW: "REL",
    Verdict.CAUTION: "CAUTION",
    Verdict.PASS: "INFO",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Screen every file; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        protocol = load_protocol(options.protocol)
    except ProtocolInvalid as fault:
        for one in fault.faults:
            print(
                f"screen: protocol {options.protocol}: {one.pointer or 'file'}: {one.detail}", file=sys.stderr
            )
        return 2
    indication = None if options.indication is None else Indication(options.indication)
    status = 0
    for name in options.files:
        try:
            result = _screened(Path(name), protocol, indication, options.as_of)
        except UnreadableBundle as fault:
            print(f"screen: {name}: {fault}", file=sys.stderr)
            status = 2
            continue
        print(json.dumps(_as_json(name, result)) if options.json else _line(name, result))
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev screen",
        description="Screen referral bundles (FHIR R4).",
        epilog="In a line, a rule with a question mark only warns; missing is what has to be asked.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a FHIR R4 Bundle about one person")
    parser.add_argument("--indication", choices=[indication.value for indication in Indication])
    parser.add_argument("--protocol", default="iv-racemic", help="a shipped protocol's name or a file")
    parser.add_argument(
        "--as-of", type=_moment, default=datetime.now(UTC), metavar="DATE", help="judge as on this day"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a bundle, with all reasons")
    return parser


def _moment(said: str) -> datetime:
    """The end of a day, or an instant with its zone."""
    try:
        if len(said) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(said), time(23, 59, 59), tzinfo=UTC)
        at = datetime.fromisoformat(said)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{said!r} is not a date like 2026-01-31") from None
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{said!r} has a time without a zone")
    return at.astimezone(UTC)


def _screened(
    path: Path, protocol: Protocol, indication: Indication | None, now: datetime
) -> ScreeningResult:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UnreadableBundle(["the file is too large"])
        raw = path.read_bytes()
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) and fault.strerror else "cannot be read"
        raise UnreadableBundle([f"cannot be read: {why}"]) from None
    return triage(read_referral(raw).record, protocol, now, indication)


def _line(name: str, result: ScreeningResult) -> str:
    """File, answer, the rules that object or warn, and how much is missing."""
    rules = dict.fromkeys(
        f"{reason.rule}{'' if reason.verdict is not Verdict.CAUTION else '?'}"
        for reason in result.reasons
        if not reason.missing
    )
    said = f"; {', '.join(rules)}" if rules else ""
    return f"{name}: {result.decision.value}{said}; {len(result.missing)} missing"


def _as_json(name: str, result: ScreeningResult) -> dict[str, Any]:
    return {
        "file": name,
        "decision": result.decision.value,
        "reasons": [_reason(reason) for reason in result.reasons],
        "missing": list(result.missing),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    at = reason.observed_at
    return {
        "rule": reason.rule,
        "class": "MISSING" if reason.missing else _CLASSES[reason.verdict],
        "text": reason.text,
        "value": reason.value,
        "unit": reason.unit,
        "limit": reason.limit,
        "source": reason.source,
        "confidence": reason.confidence.value,
        "observed_at": None if at is None else at.isoformat(),
        "age_days": None if reason.age_hours is None else round(reason.age_hours / 24, 1),
    }


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # File names may hold what the terminal cannot show.
            stream.reconfigure(errors="backslashreplace")
    try:
        end_process(main())
    except BrokenPipeError:
        end_process(0)
