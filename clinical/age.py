"""How old is a person on a given day, as far as the birth date says?

Whole years on UTC days. A birth date known to the month or year leaves a youngest and an oldest possible age;
the rules take whichever is the more careful one.
Source: clinical-facts §1.1 X31 and X36.
"""

from calendar import monthrange
from datetime import date, datetime

from clinical.patient_record import Person


def _latest_birth(person: Person) -> date | None:
    """The last day on which the person may have been born."""
    born = person.birth_date
    if born is None or person.birth_precision == "day":
        return born
    if person.birth_precision == "year":
        return date(born.year, 12, 31)
    return date(born.year, born.month, monthrange(born.year, born.month)[1])


def _years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_years(person: Person, now: datetime) -> tuple[int, int] | None:
    """The youngest and the oldest this person can be on the day of `now` (UTC); None when not known.

    A birth date after `now` says nothing: the answer is None.
    """
    youngest_birth = _latest_birth(person)
    if person.birth_date is None or youngest_birth is None or person.birth_date > now.date():
        return None
    return max(0, _years(youngest_birth, now.date())), _years(person.birth_date, now.date())
