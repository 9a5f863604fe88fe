"""Which source files does the project have, and what do they import?"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("clinical", "services", "activities", "workflows", "api", "workers", "deploy", "tests")


def sources(*packages: str) -> list[Path]:
    """Every Python file of these packages (all when none is named), relative to the root."""
    found = [path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found)


def modules_of(path: Path) -> set[str]:
    """The full names of all modules that this file imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
