"""How does one entry of the record vouch for all before it?

`hash` = SHA-256 over the previous entry's hash and the canonical JSON of number, key, instant, actor and
fact; the first entry continues `GENESIS`. `content_hash` leaves out number and chain: it tells whether a
known key came with the same content. Canonical JSON: sorted keys, no spaces, UTF-8, instants in UTC.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from clinical.events import Entry
from clinical.people import Actor

GENESIS = "0" * 64


def canonical_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def fact_text(entry: Entry) -> str:
    """The fact as it is stored (encrypted) and hashed."""
    return canonical_json(_in_order(entry.fact.model_dump(mode="json"), entry.fact.model_dump()))


def content_hash(key: str, occurred_at: datetime, actor: Actor, fact_json: str) -> str:
    return _sha256(canonical_json(_content(key, occurred_at, actor, fact_json)))


def entry_hash(
    previous_hash: str, seq: int, key: str, occurred_at: datetime, actor: Actor, fact_json: str
) -> str:
    content = {**_content(key, occurred_at, actor, fact_json), "seq": seq}
    return _sha256(previous_hash + canonical_json(content))


def _content(key: str, occurred_at: datetime, actor: Actor, fact_json: str) -> dict[str, Any]:
    if occurred_at.tzinfo is None:
        raise ValueError("an instant of the record must name its zone")
    return {
        "key": key,
        "occurred_at": occurred_at.astimezone(UTC).isoformat(),
        "actor": {"id": actor.id, "role": actor.role.value},
        "fact": json.loads(fact_json),
    }


def _in_order(value: Any, plain: Any) -> Any:
    """`value` with sets sorted: they iterate differently in every process, and the hash must not differ."""
    if isinstance(plain, (set, frozenset)):
        return sorted(value, key=canonical_json)
    if isinstance(plain, dict):
        pairs = zip(value.items(), plain.values(), strict=True)
        return {key: _in_order(item, plain_item) for (key, item), plain_item in pairs}
    if isinstance(plain, (list, tuple)):
        return [_in_order(item, plain_item) for item, plain_item in zip(value, plain, strict=True)]
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
