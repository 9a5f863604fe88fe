"""A sheet is in the printer's folder whole, or not at all; a folder that is away is said so."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from services.downtime.errors import SpoolUnavailable
from services.downtime.folder import DowntimeFolder
from services.downtime.page import HelpNumbers, Identifiers, page
from tests.services.records.facts import a_sheet

NUMBERS = HelpNumbers(emergency="112", crisis="116123")


async def test_a_sheet_appears_under_its_name_and_again_replaces_it(tmp_path: Path) -> None:
    folder = DowntimeFolder(str(tmp_path), NUMBERS)
    for _ in range(2):
        assert await folder.put("site-a-session-1-order-1", a_sheet())
    [file] = tmp_path.iterdir()
    assert file.name == "site-a-session-1-order-1.html"
    assert file.read_text() == page(a_sheet(), NUMBERS)
    assert file.stat().st_mode & 0o007 == 0


async def test_without_a_folder_nothing_is_written_and_nothing_is_wrong() -> None:
    assert not await DowntimeFolder(None, NUMBERS).put("name", a_sheet())


async def test_a_folder_that_is_away_is_said_so_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(SpoolUnavailable) as away:
        await DowntimeFolder(str(tmp_path / "share"), NUMBERS).put("name", a_sheet())
    assert str(tmp_path) not in str(away.value)
    assert list(tmp_path.iterdir()) == []


async def test_a_disk_that_fills_up_leaves_no_half_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolUnavailable):
        await DowntimeFolder(str(tmp_path), NUMBERS).put("name", a_sheet())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", "ä"])
async def test_a_name_never_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name"):
        await DowntimeFolder(str(tmp_path), NUMBERS).put(name, a_sheet())
    assert os.listdir(tmp_path) == []


def test_the_page_has_a_row_for_every_reading_and_nothing_from_elsewhere() -> None:
    sheet = a_sheet()
    text = page(sheet, NUMBERS)
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    assert body.count("<tr>") == len(sheet.reading_minutes) + sheet.blank_readings
    assert re.findall(r"<td>(\d*)</td>", body)[::11] == ["10", "20", "", "", "", ""]
    assert not re.search(r"<script|<img|<link|url\(|@import|https?:", text)
    assert "@page" in text
    assert "112" in text
    assert "116123" in text
    assert sheet.content_hash[:12] in text


def test_names_are_printed_for_who_asks_and_escaped() -> None:
    assert "by hand" in page(a_sheet(), NUMBERS)
    named = page(a_sheet(), NUMBERS, Identifiers(name="<b>Ada</b> & Co", birth_date="1984-03-02"))
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; Co" in named
    assert "1984-03-02" in named
    assert "by hand" not in named.split("Call (numbers by hand)")[0]
