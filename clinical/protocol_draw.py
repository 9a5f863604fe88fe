"""How does a course by this protocol go? A Mermaid flowchart with its numbers, waits, loops and endings.

A wait for a person shows its owner, when it is due and how long is waited at most; a broken arrow is what
happens when nobody does it. The order is that of the workflows; the numbers are the protocol's.
Source: product §2; workflows/README.md.
"""

from collections.abc import Iterable

from clinical.protocol import Protocol
from clinical.protocol_draw_arrows import Arrow, arrows
from clinical.protocol_draw_boxes import boxes

_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "&": "#amp;", "\\": "#92;"}
_SHAPES = {"wait": '{}["{}"]', "step": '{}("{}")', "choice": '{}{{"{}"}}', "ending": '{}(["{}"])'}


def drawn(protocol: Protocol) -> str:
    """The whole course as Mermaid text: nodes, arrows, and which boxes are waits."""
    nodes = boxes(protocol)
    title = _escaped(f"{protocol.title} {protocol.version}")
    lines = ["flowchart TD", f'  title["{title}<br/>{_escaped(protocol.notice)}"] --- book_consultation']
    lines += [f"  {_SHAPES[node.kind].format(node.id, _text(node.lines))}" for node in nodes]
    lines += [f"  {_arrow(arrow)}" for arrow in arrows(protocol)]
    for kind, colours in (("wait", "fill:#fff3cd,stroke:#8a6d00"), ("ending", "fill:#e2e3e5,stroke:#41464b")):
        lines.append(f"  classDef {kind} {colours},color:#000")
        lines.append(f"  class {','.join(node.id for node in nodes if node.kind == kind)} {kind}")
    return "\n".join(lines) + "\n"


def _arrow(arrow: Arrow) -> str:
    line = "-.->" if arrow.broken else "-->"
    label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
    return f"{arrow.start} {line}{label} {arrow.end}"


def _text(lines: Iterable[str]) -> str:
    return "<br/>".join(_escaped(line) for line in lines)


def _escaped(text: str) -> str:
    """One line in which nothing can be read as Mermaid or HTML."""
    printable = (character if character.isprintable() else " " for character in text)
    return "".join(_ENTITIES.get(character, character) for character in printable)
