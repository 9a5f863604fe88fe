"""Does `./dev screen` answer for every file, one line each, and go on after one that cannot be read?"""

import json
from pathlib import Path

import pytest

from deploy.screen import main

REFERRALS = Path(__file__).parents[2] / "fixtures" / "referrals"
ALL = sorted(str(path) for path in REFERRALS.glob("*.json"))


def test_one_line_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--as-of", "2026-11-22", *ALL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == ALL
    assert lines[ALL.index(str(REFERRALS / "alda-carter.json"))].split(": ")[1].startswith("ineligible; X31")


def test_whole_reasons_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    name = str(REFERRALS / "adalberto-hartmann.json")
    assert main(["--json", "--indication", "major-depressive-disorder", name]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"file", "decision", "reasons", "missing"}
    assert (answer["file"], answer["decision"]) == (name, "ineligible")
    first = answer["reasons"][0]
    assert {"rule", "class", "text", "value", "source"} <= set(first)
    assert first["class"] == "ABS"
    assert {"ABS", "REL", "CAUTION", "MISSING"} == {reason["class"] for reason in answer["reasons"]}
    assert "indication" not in answer["missing"]


def test_an_unreadable_file_gets_one_line_and_the_others_are_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("not a bundle")
    assert main([str(bad), str(tmp_path / "gone.json"), str(tmp_path), ALL[0]]) == 2
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    lines = shown.err.splitlines()
    assert len(lines) == 3
    assert "not JSON" in lines[0]
    assert "No such file" in lines[1]


def test_the_day_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    child = str(REFERRALS / "alda-carter.json")
    assert main(["--as-of", "2034-01-01", child]) == 0
    assert "needs-review" in capsys.readouterr().out
    assert main(["--as-of", "2034-01-01T12:00:00+01:00", child]) == 0


@pytest.mark.parametrize("said", ["tomorrow", "2034-01-01T12:00:00", "2034-13-01"])
def test_an_impossible_day_is_refused(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--as-of", said, ALL[0]])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_an_unsound_protocol_is_refused_with_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "p.yaml"
    bad.write_text("url: x")
    assert main(["--protocol", str(bad), ALL[0]]) == 2
    assert "/version: missing" in capsys.readouterr().err
