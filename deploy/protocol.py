"""How do I look after a protocol? `./dev protocol check|diff|draw|sign`; `--help` says more of each.

Exit status 0: fine, no difference, signed; 1: faults found, the protocols differ, not signed; 2: a file that is
no protocol document, or a command that was not understood.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from clinical.protocol import Protocol
from clinical.protocol_diff import told
from clinical.protocol_draw import drawn
from services.process import end_process
from services.protocol_signing import as_yaml, confidences, signature_of, unsigned, with_signature
from services.protocols import (
    Fault,
    ProtocolInvalid,
    ProtocolUnreadable,
    load_protocol,
    read_protocol,
    shipped,
    text_of,
    verify_signature,
)

_HASH_DIGITS = 12
"""So much of a content hash has to be typed in, so that it was looked at."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the first word says; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "check":
                return max([_check(source) for source in options.source])
            case "diff":
                return _diff(options.before, options.after)
            case "draw":
                return _draw(options.source)
            case _:
                return _sign(options.source, options.by, options.for_production, write=options.write)
    except _Refused as refused:
        print(f"dev protocol: {refused}", file=sys.stderr)
        return refused.status


class _Refused(Exception):
    """One clear line, and the exit status."""

    def __init__(self, line: str, status: int = 1) -> None:
        super().__init__(line)
        self.status = status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev protocol", description="Look after treatment protocols.")
    commands = parser.add_subparsers(dest="command", required=True)
    file = f"a YAML or JSON file, or a shipped protocol: {', '.join(shipped())}"
    check = commands.add_parser("check", help="list every fault with its JSON Pointer (1: there are some)")
    check.add_argument("source", metavar="FILE", nargs="+", help=file)
    diff = commands.add_parser("diff", help="say what would change for a patient (1: something would)")
    diff.add_argument("before", metavar="A", help=file)
    diff.add_argument("after", metavar="B", help=file)
    draw = commands.add_parser("draw", help="write the course as a Mermaid flowchart")
    draw.add_argument("source", metavar="FILE", help=file)
    sign = commands.add_parser("sign", help="sign a protocol without faults; by default as an example")
    sign.add_argument("source", metavar="FILE", help=file)
    sign.add_argument("--by", required=True, metavar="NAME", help="the medical director who signs")
    sign.add_argument(
        "--for-production",
        metavar="HASH",
        help=f"sign for patients: at least {_HASH_DIGITS} digits of the content hash that was reviewed",
    )
    sign.add_argument("--write", action="store_true", help="into the file; else the signature is printed")
    return parser


def _check(source: str) -> int:
    try:
        protocol = load_protocol(source)
    except ProtocolUnreadable as fault:
        print(f"dev protocol: {source}: {_line(fault.faults)}", file=sys.stderr)
        return 2
    except ProtocolInvalid as invalid:
        for one in invalid.faults:
            print(f"{one.pointer or '(file)'}: {one.detail}")
        print(f"{source}: {_count(invalid.faults)}")
        return 1
    print(f"{source}: no faults; {protocol.canonical}, content hash {protocol.content_hash}")
    try:
        verify_signature(protocol, "production")
    except ProtocolInvalid as fault:
        print("not for production: " + _line(fault.faults))
    return 0


def _diff(before: str, after: str) -> int:
    both = _content(before), _content(after)
    print(told(*both))
    return 0 if both[0] == both[1] else 1


def _draw(source: str) -> int:
    print(drawn(_content(source)), end="")
    return 0


def _sign(source: str, by: str, reviewed: str | None, *, write: bool) -> int:
    try:
        written = text_of(source)
        protocol = unsigned(written)
    except ProtocolInvalid as invalid:
        raise _unusable(source, invalid, "not signed: ", 1) from None
    name = by.strip()
    if not name or not name.isprintable():
        raise _Refused("a signature names the medical director who signs", 2)
    if write and source in shipped():
        raise _Refused(f"{source} is a shipped example: copy it, give it a url of your own, sign the copy")
    if reviewed is not None:
        _reviewed(reviewed, protocol.content_hash)
    signature = signature_of(protocol, name, datetime.now(UTC), example=reviewed is None)
    counts = confidences(protocol)
    said = ", ".join(f"{count} {confidence}" for confidence, count in counts.items())
    print(f"{protocol.canonical}, content hash {protocol.content_hash}", file=sys.stderr)
    print(f"{sum(counts.values())} numbers: {said}", file=sys.stderr)
    print(
        f"{counts['U'] + counts['D']} of them (U and D) no published source confirms: "
        "they stand on the medical director's word alone",
        file=sys.stderr,
    )
    if reviewed is None:
        print("signed as an example: production refuses it", file=sys.stderr)
    if write:
        _put(source, with_signature(written, signature))
    else:
        print(as_yaml(signature), end="")
    return 0


def _put(source: str, text: str) -> None:
    try:
        read_protocol(text)
        Path(source).write_text(text, "utf-8")
    except (ProtocolInvalid, OSError):
        raise _Refused(f"{source} was not changed: put the signature in by hand") from None


def _reviewed(given: str, content_hash: str) -> None:
    """For patients only what was looked at is signed: the hash that `check` showed has to be that of now."""
    if len(given) < _HASH_DIGITS:
        raise _Refused(f"--for-production takes at least {_HASH_DIGITS} digits of the content hash", 2)
    if not content_hash.startswith(given.lower()):
        raise _Refused(f"not signed: the content was changed since; its hash is {content_hash}")


def _content(source: str) -> Protocol:
    """The protocol, without a signature that belongs to what it was before."""
    try:
        written = text_of(source)
        try:
            return read_protocol(written)
        except ProtocolInvalid:
            return unsigned(written)
    except ProtocolInvalid as invalid:
        raise _unusable(source, invalid, "", 2) from None


def _unusable(source: str, invalid: ProtocolInvalid, what: str, status: int) -> _Refused:
    if isinstance(invalid, ProtocolUnreadable):
        return _Refused(f"{source}: {_line(invalid.faults)}", 2)
    return _Refused(f"{source}: {what}{_count(invalid.faults)}; ./dev protocol check {source}", status)


def _line(found: Sequence[Fault]) -> str:
    return "; ".join(one.detail for one in found)


def _count(found: Sequence[Fault]) -> str:
    return "1 fault" if len(found) == 1 else f"{len(found)} faults"


if __name__ == "__main__":
    end_process(main())
