"""What did a person write above what they quote? Mail brings the whole conversation, a signature, and layout with it.

`above_quote` is everything that is theirs; `to_the_point` leaves out how they close it. Words that are not
recognised as quoted stay: then the reply is not understood, and a person reads it.
"""

import re
from html.parser import HTMLParser

QUOTES_BEGIN = re.compile(
    r"""^(
        \s*>                                              # quoted, by every client that writes plain text
      | \s*-{2,}\s*(original\ message|mensaje\ original|forwarded\ message|mensaje\ reenviado)\s*-{2,}
      | _{10,}\s*$
      | \s*\*?(from|de)\s*:\*?\s.*[@<]                    # the head that Outlook puts above
    )""",
    re.VERBOSE | re.IGNORECASE,
)
SOMEBODY_WROTE = re.compile(r"^\s*(on|el)\b.{0,300}\b(wrote|escribi[oó])\s*:\s*$", re.IGNORECASE | re.DOTALL)
LINES_OF_A_HEAD = 3
"""The line "On …, … wrote:" is broken by clients wherever they like."""

OUR_WORDS = re.compile(
    r"(in\s+crisis(\s*,\s*or\s+not\s+safe)?\s*\?\s*call\s+or\s+text\b.{1,200}?emergency:[\s+()0-9-]{2,24})"
    r"|(en\s+crisis(\s+o\s+no\s+se\s+siente\s+a\s+salvo)?\s*\?\s*llame\s+o\s+escriba\b"
    r".{1,200}?emergencias:[\s+()0-9-]{2,24})",
    re.IGNORECASE | re.DOTALL,
)
"""How every message of ours ends: quoted without a mark it would read as words of crisis of the person."""

CLOSES = re.compile(
    r"""^\s*(
        --\s*$
      | (sent\ from|get\ outlook|enviado\ desde|obtener\ outlook)\b.*
      | ((kind|best|warm)\ )?regards | best(\ wishes)? | cheers | (yours\ )?(sincerely|truly|faithfully)
      | (many\ )?thanks(\ a\ lot|\ so\ much|\ again)? | thank\ you(\ so\ much|\ very\ much|\ again)?
      | (un\ )?(cordial\ )?saludos?(\ cordiales)? | atentamente | (muchas\ )?gracias | un\ abrazo
    )\s*[.,!]?\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
MOST_LINES_OF_A_SIGNATURE = 5
MOST_WORDS_OF_A_LINE = 5
TURNS = re.compile(
    r"\b(but|not?|can|cannot|change|move|later|earlier|another|other|time|if|pero|puedo|cambiar|hora|otr[ao]|si)\b",
    re.IGNORECASE,
)
"""With such a word below it a "thanks" is not the end: whoever goes on may say the opposite."""

BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "table", "ul", "ol"})
UNSEEN = frozenset({"style", "script", "head", "title", "blockquote"})
VOID = frozenset(
    {"br", "img", "hr", "meta", "link", "input", "wbr", "area", "base", "col", "embed", "source"}
)
QUOTED = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "divRplyFwdMsg", "appendonsend")


def above_quote(text: str) -> str:
    """What the person wrote, without anything that was sent to them before."""
    lines = OUR_WORDS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    for at in range(len(lines)):
        if QUOTES_BEGIN.match(lines[at]) or _head_at(lines, at):
            return "\n".join(lines[:at]).strip()
    return "\n".join(lines).strip()


def to_the_point(written: str) -> str:
    """The same without its closing words and what stands below them, if that can be nothing but a name or address."""
    lines = written.split("\n")
    for at, line in enumerate(lines):
        below = [one.strip() for one in lines[at + 1 :] if one.strip()]
        if at and CLOSES.match(line) and _is_signature(below):
            return "\n".join(lines[:at]).strip()
    return written


def text_of_html(html: str) -> str:
    """What a reader sees of it, line by line, without quoted mail."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.said).split("\n")]
    return "\n".join(lines).strip()


def _head_at(lines: list[str], at: int) -> bool:
    return any(SOMEBODY_WROTE.match("\n".join(lines[at : at + n])) for n in range(1, LINES_OF_A_HEAD + 1))


def _is_signature(below: list[str]) -> bool:
    return len(below) <= MOST_LINES_OF_A_SIGNATURE and all(
        len(line.split()) <= MOST_WORDS_OF_A_LINE and "?" not in line and not TURNS.search(line)
        for line in below
    )


class _Reader(HTMLParser):
    """Collects what is seen; `_hidden` counts how deep inside something unseen it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BREAKS:
            self.said.append("\n")
        if tag in VOID:
            return
        marks = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
        if self._hidden or tag in UNSEEN or any(quoted in marks for quoted in QUOTED):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag not in VOID:
            self._hidden -= 1
        if tag in BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(" ".join(data.split()) and data.replace("\n", " "))
