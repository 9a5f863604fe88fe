"""What is wrong with a protocol? `./dev protocol check FILE` lists every fault with a JSON Pointer.

Exit status 0: it can be used; 1: it has faults; 2: the command itself was not understood.
"""

import argparse
from collections.abc import Sequence

from services.process import end_process
from services.protocols import ProtocolInvalid, load_protocol, verify_signature


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the first word says; the exit status."""
    parser = argparse.ArgumentParser(prog="./dev protocol", description="Look after treatment protocols.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="list every fault of a protocol")
    check.add_argument("source", metavar="FILE", help="a YAML or JSON file, or a shipped protocol's name")
    options = parser.parse_args(arguments)
    return _check(options.source)


def _check(source: str) -> int:
    try:
        protocol = load_protocol(source)
    except ProtocolInvalid as fault:
        for one in fault.faults:
            print(f"{one.pointer or '(file)'}: {one.detail}")
        print(f"{source}: {len(fault.faults)} faults")
        return 1
    print(f"{source}: no faults; {protocol.canonical}, content hash {protocol.content_hash}")
    try:
        verify_signature(protocol, "production")
    except ProtocolInvalid as fault:
        print("not for production: " + "; ".join(one.detail for one in fault.faults))
    return 0


if __name__ == "__main__":
    end_process(main())
