"""What may somebody send who is tired, wrong, a broken program or ill-willed? Bodies that were right, bent."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
HOURS = (-24 * 400, -24, -5, -1, -0.1, 0.1, 1, 5, 24, 24 * 400)
SAID_AT_HOURS = (-24 * 365 * 90, -24 * 366, -24 * 14, -30, -10, -4, -1, -0.2, -0.01, 0, 1, 48, 24 * 365 * 120)
NUMBERS = (0, -1, 1, 0.5, 7, 999, 10**30, -(10**30), 1e308, float("nan"), float("inf"))
WORDS = ("", " ", "x", "x" * 5000, "nul \0 nul", "\ud800", "2026-02-30T25:61:00Z", "\u202e", "1", "null")
ANYTHING: tuple[Any, ...] = (None, True, False, 0, "yes", [], {}, [[]], {"a": {"b": []}})


def bent(body: Any, random: Random, known: Mapping[str, list[str]]) -> Any:
    """The same body with one to three things wrong, or merely different."""
    changed = copy.deepcopy(body)
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            return random.choice((changed, {"unknown": 1}, [], None))
        holder, name = random.choice(places)
        _bend(holder, name, random, known)
    return changed


def near(body: Any, now: datetime, random: Random) -> Any:
    """The same body with its instants moved to about now."""
    if isinstance(body, Mapping):
        return {name: near(value, now, random) for name, value in body.items()}
    if isinstance(body, list):
        return [near(value, now, random) for value in body]
    if isinstance(body, str) and INSTANT.match(body):
        return (now + timedelta(minutes=random.choice((-600, -30, -5, 0, 0, 0, 30, 3000)))).isoformat()
    return body


def dated(body: Any, now: datetime, random: Random) -> Any:
    """The same, said to have been done at another time: earlier today, last year, in another century, tomorrow."""
    if not isinstance(body, dict):
        return body
    return {**body, "occurred_at": (now + timedelta(hours=random.choice(SAID_AT_HOURS))).isoformat()}


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inside: Any = ()
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    for name, one in inside:
        yield value, name
        yield from _places(one)


def _bend(holder: Any, name: Any, random: Random, known: Mapping[str, list[str]]) -> None:
    value = holder[name]
    match random.randrange(8):
        case 0:
            del holder[name]
        case 1:
            holder[name] = random.choice(ANYTHING)
        case 2 if isinstance(holder, dict):
            holder[random.choice(("unknown", "amends", "action", "reason"))] = random.choice(WORDS)
        case _:
            holder[name] = _other(str(name), value, random, known)


def _other(name: str, value: Any, random: Random, known: Mapping[str, list[str]]) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return random.choice((value * 2, value * 10, -value, value / 10, value + 1, *NUMBERS))
        case str() if name in known:
            return random.choice(known[name])
        case str() if INSTANT.match(value):
            shifted = datetime.fromisoformat(value) + timedelta(hours=random.choice(HOURS))
            return random.choice((shifted.isoformat(), shifted.isoformat(), value[:19]))
        case str():
            return random.choice(WORDS)
        case list():
            return random.choice((value * 2, value * 100, value[:1], []))
        case _:
            return random.choice(ANYTHING)


def codes_of(description: Mapping[str, Any]) -> dict[str, list[str]]:
    """By the name of a field: the codes that the API's own description lets it have."""
    schemas = description["components"]["schemas"]
    found: dict[str, list[str]] = {}
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            text = json.dumps(field)
            codes = list(field.get("enum", []))
            for other in re.findall(r"#/components/schemas/(\w+)", text):
                codes += schemas.get(other, {}).get("enum", [])
            if codes:
                found.setdefault(name, []).extend(code for code in codes if isinstance(code, str))
    return {name: codes for name, codes in found.items() if codes}


def examples_of(description: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Every act that is a POST: its name, its path, and the body of its example."""
    schemas, found = description["components"]["schemas"], []
    for path, operations in description["paths"].items():
        if "post" in operations:
            operation = operations["post"]
            content = operation.get("requestBody", {}).get("content", {})
            text = json.dumps(content.get("application/json", {}).get("schema", {}))
            named = re.findall(r"#/components/schemas/(\w+)", text)
            example = schemas[named[0]].get("examples", [{}])[0] if named else {}
            found.append((operation["operationId"], path, example))
    return found
