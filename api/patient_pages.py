"""What does a page for a patient look like? Small HTML without scripts or other files, in English and Spanish.

No page says who it is for, what is treated, or in its title anything at all. Crisis lines stand on every one.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications.language import Language, language_for

FOLDER = Path(__file__).parent / "pages" / "links"
STYLE = (FOLDER / "style.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
}

_pages = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.globals["style"] = STYLE  # inserted as it is: its hash is in the policy

WORDS: dict[Language, dict[str, Any]] = {
    language: yaml.safe_load((FOLDER / f"{language}.yaml").read_text()) for language in Language
}


@dataclass(frozen=True)
class Numbers:
    """Whom to call at once, in this country."""

    crisis: str = "988"
    text: str = "741741"
    emergency: str = "911"


def page(
    template: str, language: Language, numbers: Numbers, status: int = 200, **values: Any
) -> HTMLResponse:
    """One page; `values` are what its template shows."""
    words = WORDS[language]
    text = _pages.get_template(f"{template}.html").render(
        w=words, language=str(language), numbers=numbers, **values
    )
    headers = {**HEADERS, "Content-Language": str(language)}
    return HTMLResponse(text, status, headers=headers)


def said(name: str, language: Language, numbers: Numbers, status: int = 200, **values: Any) -> HTMLResponse:
    """A page that only says something: `name` is its place among the words ("done.move")."""
    words: Any = WORDS[language]
    for part in name.split("."):
        words = words[part]
    return page("message", language, numbers, status, words=words, **values)


def wished(accepted: str | None) -> Language:
    """The language of a browser that we know nothing else about."""
    return language_for((accepted or "").split(",")[0].split(";")[0].strip() or "en")
