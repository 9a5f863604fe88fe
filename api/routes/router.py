"""How is a group of routes made? Each route is an act, each POST answers once."""

from fastapi import APIRouter

from api.entrance import ActRoute

COURSE = "/v1/journeys/{site}/{ulid}"


def routes(prefix: str, tag: str) -> APIRouter:
    """A router whose routes are checked at the entrance; the order of tags is that of a journey."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=ActRoute)
