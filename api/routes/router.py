"""How is a group of routes made? Each route is an act, each POST answers once."""

from collections.abc import Iterable

from fastapi import APIRouter

from api.entrance import ActRoute

COURSE = "/v1/journeys/{site}/{ulid}"


def routes(prefix: str, tag: str) -> APIRouter:
    """A router whose routes are checked at the entrance; the order of tags is that of a journey."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=ActRoute)


def join(into: APIRouter, groups: Iterable[APIRouter]) -> None:
    """Let `into` have the routes of these groups, as they are.

    `include_router` would take every route apart a second time, for prefixes and dependencies that we do not give: half
    a second of the first request to each application.
    """
    for group in groups:
        into.routes.extend(group.routes)
