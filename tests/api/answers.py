"""Is an answer what its route declares? For those that no model has checked on their way out."""

from __future__ import annotations

import json

import httpx2
from pydantic import BaseModel


def assert_is(model: type[BaseModel], answer: httpx2.Response) -> None:
    """The model takes the answer, says all of it, and would have written it the same."""
    assert answer.status_code == 200, answer.text
    assert json.loads(model.model_validate_json(answer.content).model_dump_json()) == answer.json()
