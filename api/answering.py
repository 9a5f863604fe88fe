"""How is a page that is looked at all day written out?

The framework checks an answer against its model and then lets the model write it: for a page of fifty things both
together cost more than to ask for them. What comes straight from the record's columns is written as it is; the route
still declares the model, and tests hold the answer against it.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from pydantic_core import to_json


def written(fields: Mapping[str, Any], response: Response) -> Response:
    """The answer with the headers that the route has set on `response`."""
    return Response(to_json(fields), headers=dict(response.headers), media_type="application/json")
