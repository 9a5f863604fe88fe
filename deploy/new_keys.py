"""Where do the keys of a new installation come from? (`./dev keys`) From this machine's source of randomness.

What is printed are the lines of `env.example` that have to be made, fresh every time: put them into the store of
secrets at once, and a copy under lock. `--trial` adds what `deploy/compose.yaml` needs on one machine, with tokens.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
from collections.abc import Sequence

from joserfc.jwk import ECKey

from deploy.tokens import staff_tokens
from services.process import end_process

PASSWORDS = ("POSTGRES_PASSWORD", "RECORD_PASSWORD", "ENGINE_PASSWORD", "GRAFANA_PASSWORD")


def keys() -> dict[str, str]:
    """KAP_ variables of every key of one installation."""
    return {
        "KAP_PAYLOAD_KEYS": _compact({"p1": _key()}),
        "KAP_PAYLOAD_KEY_ID": "p1",
        "KAP_FIELD_KEYS": _compact({"f1": _key()}),
        "KAP_FIELD_KEY_ID": "f1",
        "KAP_INDEX_KEY": _key(),
    }


def trial() -> tuple[dict[str, str], dict[str, str]]:
    """What one machine needs besides: passwords and who checks tokens; and a token for each role."""
    issuer = ECKey.generate_key("P-256", {"kid": "trial", "use": "sig", "alg": "ES256"})
    private = {name: str(value) for name, value in issuer.as_dict(private=True).items()}
    public = {name: value for name, value in private.items() if name != "d"}
    passwords = {name: secrets.token_hex(24) for name in PASSWORDS}
    return {"KAP_ISSUER_KEY": _compact(public), **passwords}, staff_tokens(private)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev keys", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--trial", action="store_true", help="for deploy/compose.yaml, with tokens; never for patients"
    )
    given = parser.parse_args(arguments)
    lines = [f"{name}={value}" for name, value in keys().items()]
    if given.trial:
        more, tokens = trial()
        lines += [f"{name}={value}" for name, value in more.items()]
        lines += [f"# {role} {token}" for role, token in tokens.items()]
    print("\n".join(lines))
    return 0


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _compact(value: dict[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"))


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
