"""What is answered about messages that came in?"""

from pydantic import ConfigDict

from api.schemas.answers import CountedPage
from api.schemas.values import In, Words
from services.records.inbox_views import InboxCase


class InboxPage(CountedPage):
    """What messages leave for a person to do, most urgent first, with the messages."""

    items: list[InboxCase]


class SettlementIn(In):
    """What was done about it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "called back, moved to Thursday"}]})

    note: Words
