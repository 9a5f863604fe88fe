"""In which language do we write to this person?"""

from enum import StrEnum


class Language(StrEnum):
    ENGLISH = "en"
    SPANISH = "es"


def language_for(wish: str) -> Language:
    """The translated language nearest to a BCP 47 tag ("es-MX" is Spanish); English when there is none."""
    primary = wish.replace("_", "-").split("-")[0].lower()
    return Language(primary) if primary in set(Language) else Language.ENGLISH
