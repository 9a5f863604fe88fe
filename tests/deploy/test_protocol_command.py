"""Does `./dev protocol` list, compare, draw and sign, and refuse in one clear line?"""

import json
from pathlib import Path

import pytest
import yaml

from deploy.protocol import main
from services.protocol_signing import confidences, unsigned
from services.protocols import SHIPPED, load_protocol, verify_signature

Printed = pytest.CaptureFixture[str]
TEXT = (SHIPPED / "iv-racemic.yaml").read_text("utf-8")


def copy_of(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """A clinic's own protocol: the shipped text, its comments and its example signature, with some words changed."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    return path


def unreadable(tmp_path: Path) -> list[str]:
    listed = tmp_path / "list.yaml"
    listed.write_text("- 1")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    return [str(path) for path in (tmp_path / "none.yaml", tmp_path, listed, broken, binary)]


def test_check_lists_every_fault(tmp_path: Path, capsys: Printed) -> None:
    assert main(["check", "iv-racemic", "im-racemic", "sl-racemic", "esketamine-rems"]) == 0
    assert capsys.readouterr().out.count("no faults") == 4
    path = copy_of(
        tmp_path, ("  min_mg_per_kg: 0.1\n", "  min_mg_per_kg: 0.6\n"), ("pause:\n", "pause:\n  extra: 1\n")
    )
    assert main(["check", "iv-racemic", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "/dosing/min_mg_per_kg: " in shown
    assert "/pause/extra: unknown field" in shown


def test_what_is_no_document_is_one_line_and_status_2(tmp_path: Path, capsys: Printed) -> None:
    for path in unreadable(tmp_path):
        for words in (
            ["check", path],
            ["diff", "iv-racemic", path],
            ["diff", path, "iv-racemic"],
            ["draw", path],
            ["sign", path, "--by", "Dr A"],
        ):
            assert main(words) == 2, words
            shown = capsys.readouterr()
            assert shown.out == ""
            assert shown.err.startswith(f"dev protocol: {path}: ") and shown.err.count("\n") == 1


def test_what_has_faults_is_neither_compared_nor_drawn_nor_signed(tmp_path: Path, capsys: Printed) -> None:
    path = str(copy_of(tmp_path, ("  min_mg_per_kg: 0.1\n", "  min_mg_per_kg: 0.6\n")))
    before = Path(path).read_bytes()
    for status, words in (
        (2, ["diff", "iv-racemic", path]),
        (2, ["draw", path]),
        (1, ["sign", path, "--by", "Dr A", "--write"]),
    ):
        assert main(words) == status
        shown = capsys.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1
        assert "1 fault; ./dev protocol check" in shown.err
    assert Path(path).read_bytes() == before


def test_diff_says_what_would_change_and_by_its_status_whether(tmp_path: Path, capsys: Printed) -> None:
    assert main(["diff", "iv-racemic", "iv-racemic"]) == 0
    assert capsys.readouterr().out == "no difference\n"
    # The copy carries the signature of what it was before: it can still be compared.
    path = copy_of(tmp_path, ("preparation_sessions: 2", "preparation_sessions: 3"))
    assert main(["diff", "iv-racemic", str(path)]) == 1
    said = capsys.readouterr().out
    assert "preparation sessions before the first dose: 2 -> 3 (/therapy/preparation_sessions)" in said
    assert main(["diff", "iv-racemic", "esketamine-rems"]) == 1


def test_draw_writes_a_flowchart(capsys: Printed) -> None:
    assert main(["draw", "im-racemic"]) == 0
    assert capsys.readouterr().out.startswith("flowchart TD\n")


def test_a_signature_is_an_example_unless_the_reviewed_hash_is_given(tmp_path: Path, capsys: Printed) -> None:
    path = copy_of(tmp_path, ("preparation_sessions: 2", "preparation_sessions: 3"))
    protocol = unsigned(path.read_text())
    assert main(["sign", str(path), "--by", "Dr A"]) == 0
    shown = capsys.readouterr()
    printed = yaml.safe_load(shown.out)["signature"]
    assert (printed["by"], printed["role"], printed["example"]) == ("Dr A", "medical-director", True)
    assert printed["content_hash"] == protocol.content_hash
    assert "production refuses it" in shown.err and "word alone" in shown.err

    assert main(["sign", str(path), "--by", "Dr A", "--for-production", "0" * 64, "--write"]) == 1
    assert "changed since" in capsys.readouterr().err
    assert main(["sign", str(path), "--by", "Dr A", "--for-production", protocol.content_hash[:11]]) == 2
    digits = protocol.content_hash[:12].upper()
    assert main(["sign", str(path), "--by", "Dr A", "--for-production", digits, "--write"]) == 0
    signed = load_protocol(path)
    verify_signature(signed, "production")
    assert signed.signature is not None and signed.signature.by == "Dr A"
    text = path.read_text()
    assert text.count("\nsignature:") == 1 and "# Intravenous racemic ketamine" in text
    assert "# A label covers the number" in text


def test_signing_twice_leaves_one_signature(tmp_path: Path) -> None:
    path = copy_of(tmp_path)
    for by in ("Dr A", "Dr B: #1"):
        assert main(["sign", str(path), "--by", by, "--write"]) == 0
    signed = load_protocol(path)
    assert signed.signature is not None and signed.signature.by == "Dr B: #1"
    assert load_protocol(path).content_hash == load_protocol("iv-racemic").content_hash


def test_json_is_signed_as_well(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(load_protocol("sl-racemic").model_dump_json())
    assert main(["sign", str(path), "--by", "Dr A", "--write"]) == 0
    assert json.loads(path.read_text())["signature"]["by"] == "Dr A"
    assert load_protocol(path).content_hash == load_protocol("sl-racemic").content_hash


def test_what_cannot_be_written_safely_is_left_as_it_was(tmp_path: Path, capsys: Printed) -> None:
    path = copy_of(tmp_path, ("\nsignature:", '\n"signature":'))
    before = path.read_bytes()
    assert main(["sign", str(path), "--by", "Dr A", "--write"]) == 1
    assert "by hand" in capsys.readouterr().err
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_a_signature_names_somebody(name: str, capsys: Printed) -> None:
    assert main(["sign", "iv-racemic", "--by", name]) == 2
    assert capsys.readouterr().out == ""


def test_a_shipped_example_is_not_written_over(capsys: Printed) -> None:
    before = (SHIPPED / "iv-racemic.yaml").read_bytes()
    assert main(["sign", "iv-racemic", "--by", "Dr A", "--write"]) == 1
    assert "copy it" in capsys.readouterr().err
    assert (SHIPPED / "iv-racemic.yaml").read_bytes() == before


def test_what_the_director_answers_for_is_counted() -> None:
    counts = confidences(load_protocol("esketamine-rems"))
    assert set(counts) == {"C", "C*", "W", "U", "D"}
    assert counts["C"] > confidences(load_protocol("im-racemic"))["C"]
