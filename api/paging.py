"""How is a list handed out page by page? Lines after a sealed place, one more than asked, a link to what follows.

The mark of a page is bound to the list, the person and every filter (`api.cursors`): it opens nothing else.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.on_the_loop import on_the_loop

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=200)]
CursorParameter = Annotated[str | None, Query(max_length=600)]


class Paging:
    """What every list takes: `cursor` and `limit`; the rest of its query are its filters."""

    def __init__(
        self,
        request: Request,
        response: Response,
        here: Composed,
        caller: CallerHere,
        cursor: CursorParameter = None,
        limit: Limit = 50,
    ) -> None:
        self._request = request
        self._response = response
        self._cursors = here.cursors
        self._limit = limit
        filters = sorted(
            one for one in request.query_params.multi_items() if one[0] not in ("cursor", "limit")
        )
        self._listing = f"{caller.principal.id} {request.url.path} {filters}"
        self.place = None if cursor is None else self._cursors.open(self._listing, cursor)

    @property
    def wanted(self) -> int:
        """How many lines to look for: one more than is shown says whether there is a next page."""
        return self._limit + 1

    @property
    def moment(self) -> tuple[datetime, str] | None:
        """The place in a list that is in the order of an instant and an id."""
        return None if self.place is None else (datetime.fromisoformat(self.place[0]), self.place[1])

    @property
    def number(self) -> int | None:
        """The place in a list that is in the order of a number."""
        return None if self.place is None else int(self.place[0])

    def page(
        self, found: Sequence[T], place_of: Callable[[T], Sequence[object]]
    ) -> tuple[list[T], str | None]:
        """What is shown, and the mark of what follows."""
        shown = list(found[: self._limit])
        if len(found) <= self._limit:
            return shown, None
        mark = self._cursors.seal(self._listing, [_text(part) for part in place_of(shown[-1])])
        link_next(self._request, self._response, mark)
        return shown, mark


Paged = Annotated[Paging, on_the_loop(Paging)]


def link_next(request: Request, response: Response, cursor: str) -> None:
    """The address of the next page: this one, filters included, behind another mark."""
    kept = [one for one in request.query_params.multi_items() if one[0] != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'


def _text(part: object) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)
