"""Does a person who reads a time know which one is meant, on days of 23 and 25 hours too?"""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.language import Language
from services.notifications.local_time import local_time

NEW_YORK = "America/New_York"


@pytest.mark.parametrize("language", list(Language))
def test_the_hour_that_comes_twice_is_told_apart(language: Language) -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    said = [local_time(first + timedelta(hours=hour), NEW_YORK, language) for hour in (0, 1)]
    assert ["EDT" in said[0], "EST" in said[1]] == [True, True]
    assert all("1:30" in words for words in said)


@pytest.mark.parametrize(
    ("starts_at", "said"),
    [
        (datetime(2026, 3, 8, 13, 0, tzinfo=UTC), "Sunday, March 8 at 9:00 AM EDT"),
        (datetime(2026, 3, 7, 14, 0, tzinfo=UTC), "Saturday, March 7 at 9:00 AM EST"),
        (datetime(2026, 11, 1, 14, 0, tzinfo=UTC), "Sunday, November 1 at 9:00 AM EST"),
    ],
)
def test_nine_in_the_morning_is_nine_in_the_morning(starts_at: datetime, said: str) -> None:
    assert local_time(starts_at, NEW_YORK, Language.ENGLISH) == said
