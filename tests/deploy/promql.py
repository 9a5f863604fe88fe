"""Which series does a rule or a picture name? Read out of the text of its expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.architecture.tree import ROOT

ALERTS = sorted((ROOT / "deploy" / "alerts").glob("*.yaml"))
DASHBOARDS = sorted((ROOT / "deploy" / "dashboards").glob("*.json"))

SELECTOR = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)\s*(?:\{(?P<matchers>[^}]*)\})?(?P<call>\s*\()?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
WORDS = frozenset({"and", "or", "unless", "bool", "by", "without", "on", "ignoring", "offset", "le"})


@dataclass(frozen=True)
class Named:
    """One selector: a metric, and the labels that it is asked by (the value only where it is one word)."""

    where: str
    metric: str
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule with the name of its file."""
    for path in ALERTS:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path.name, rule


def alerts() -> list[dict[str, Any]]:
    return [rule for _, rule in rules() if "alert" in rule]


def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression with the place where it stands."""
    for name, rule in rules():
        yield f"{name}: {rule.get('alert') or rule['record']}", rule["expr"]
    for dashboard in DASHBOARDS:
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield f"{dashboard.name}: {panel['title']}", target["expr"]


def selectors(where: str, expression: str) -> Iterator[Named]:
    bare = re.sub(r"\[[^\]]*\]", "", GROUPING.sub(" ", expression))
    for match in SELECTOR.finditer(bare):
        if match["call"] or match["name"] in WORDS or _within_quotes(bare, match.start()):
            continue
        labels = {
            label: tuple(value.split("|")) if re.fullmatch(r"[\w.|-]+", value) else ()
            for label, _, value in MATCHER.findall(match["matchers"] or "")
        }
        yield Named(where, match["name"], labels)


def _within_quotes(text: str, place: int) -> bool:
    return text.count('"', 0, place) % 2 == 1
