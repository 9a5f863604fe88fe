"""How does a row of a read model become a view, with the words that only the record itself holds?"""

from typing import Any, TypeVar

from sqlalchemy import Row

from services.database import Base
from services.records.views import View

V = TypeVar("V", bound=View)
F = TypeVar("F")


def view(model: type[V], row: Base | Row[Any], **words: Any) -> V:
    """The view whose fields stand in `words`, or else in the row."""
    columns = {name: getattr(row, name) for name in model.model_fields if name not in words}
    return model.model_validate({**columns, **words})


def named(facts: dict[int, Any], seq: int | None, kind: type[F]) -> F | None:
    """The fact with this number, if it is there and of this kind."""
    fact = None if seq is None else facts.get(seq)
    return fact if isinstance(fact, kind) else None
