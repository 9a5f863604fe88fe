"""Can this person be reached, and where are they? Each fault of contact data, named by its field."""

import re
from functools import cache
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic_core import PydanticCustomError

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")


def email_address(value: str) -> str:
    """The address as it is written to; whether somebody reads it, only a message shows."""
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise PydanticCustomError("email", "is not an e-mail address") from None


def phone_e164(value: str, country: str | None = None) -> str:
    """The number in E.164; without `country` (ISO 3166, two letters) it must come with its country code."""
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        raise PydanticCustomError("phone", "must be a number with country code, as +1 202 555 0143") from None
    if not phonenumbers.is_valid_number(number):
        raise PydanticCustomError("phone", "is not a number that exists")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def _zones() -> frozenset[str]:
    """Every zone there is: to look them up walks through the folder of the time zones."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def zone_name(value: str) -> str:
    if value not in _zones():
        raise PydanticCustomError("time_zone", "is not an IANA time zone, as America/New_York")
    return value


def language_tag(value: str) -> str:
    if not LANGUAGE.fullmatch(value):
        raise PydanticCustomError("language", "is not a language tag, as en or es-MX")
    return value
