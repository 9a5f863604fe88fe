"""How does a person read this instant?

An instant becomes weekday, date and wall-clock time in the person's zone and language, with the zone's short
name so that the hour that exists twice in autumn is not ambiguous.
"""

from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from services.notifications.language import Language

_WEEKDAYS = {
    Language.ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    Language.SPANISH: ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    Language.ENGLISH: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    Language.SPANISH: (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}


def local_time(at: datetime, zone: str, language: Language) -> str:
    """For example "Tuesday, March 3 at 9:00 AM EST" or "el martes 3 de marzo a las 9:00 (EST)"."""
    wall = at.astimezone(ZoneInfo(zone))
    weekday = _WEEKDAYS[language][wall.weekday()]
    month = _MONTHS[language][wall.month - 1]
    match language:
        case Language.ENGLISH:
            half = "AM" if wall.hour < 12 else "PM"
            hour = wall.hour % 12 or 12
            return f"{weekday}, {month} {wall.day} at {hour}:{wall.minute:02} {half} {wall.tzname()}"
        case Language.SPANISH:
            article = "la" if wall.hour == 1 else "las"
            clock = f"{wall.hour}:{wall.minute:02} ({wall.tzname()})"
            return f"el {weekday} {wall.day} de {month} a {article} {clock}"
        case _:
            assert_never(language)
