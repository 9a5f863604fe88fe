"""Which routes are there, and what is an address of each? From the application, not its description."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.identifiers import id_from
from tests.api.caller import SITE

PLACES = {
    "{site}": SITE,
    "{ulid}": id_from("nowhere"),
    "{patient_id}": id_from("nobody"),
    "{round}": "1",
    "{version}": "1",
    "{n}": "1",
    "{case_id}": "case-1",
    "{message_case_id}": id_from("no message"),
    "{event_id}": "ae-1",
    "{link_id}": id_from("no link"),
    "{token}": "no-token",
    "{step}": "1",
    "{note_id}": id_from("no note"),
    "{container_id}": id_from("no container"),
    "{endpoint_id}": id_from("no endpoint"),
    "{notice_id}": "1",
    "{key_id}": id_from("no key"),
    "{glass_id}": id_from("no glass"),
    "{instrument}": "phq-9",
    "{task_id}": id_from("no task"),
    "{day}": "2026-12-25",
    "{resource_id}": id_from("no resource"),
    "{absence_id}": id_from("no absence"),
    "{booking_id}": id_from("no booking"),
    "{operation_id}": id_from("no operation"),
    "{closure_id}": id_from("no closure"),
}


class RouteOf(NamedTuple):
    act: str
    method: str
    path: str

    def at(self, course: str = "", container: str = "", endpoint: str = "") -> str:
        """An address; `course`, `container` and `endpoint` are of things that exist."""
        address = self.path.replace("/v1/journeys/{site}/{ulid}", course) if course else self.path
        address = address.replace("{container_id}", container) if container else address
        address = address.replace("{endpoint_id}", endpoint) if endpoint else address
        for name, value in PLACES.items():
            address = address.replace(name, value)
        return address


def routes_of(app: FastAPI) -> list[RouteOf]:
    found = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute), f"{context.path} is no act"
        found += [RouteOf(route.operation_id or "", method, route.path) for method in route.methods or ()]
    return found
