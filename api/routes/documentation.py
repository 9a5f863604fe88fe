"""Where can a person read what this API does? One page without scripts or network, and OpenAPI itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.composition import composition_of
from api.routes.router import routes

router = routes("", "health")

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Described(NamedTuple):
    """One route as the page shows it."""

    act: str
    method: str
    path: str
    text: str
    roles: list[str]
    curl: str


@router.get("/openapi.json", operation_id="read_description", include_in_schema=False)
async def description(request: Request) -> JSONResponse:
    """The description for machines."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", operation_id="read_documentation", include_in_schema=False)
async def documentation(request: Request) -> HTMLResponse:
    """The description for people."""
    schema = request.app.openapi()
    base = composition_of(request).public_url.rstrip("/")
    described = list(_described(schema, base))
    groups = [(tag, [route for name, route in described if name == tag["name"]]) for tag in schema["tags"]]
    page = _pages.get_template("docs.html")
    return HTMLResponse(page.render(info=schema["info"], groups=groups))


def _described(schema: dict[str, Any], base: str) -> Iterator[tuple[str, Described]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield (
                operation["tags"][0],
                Described(
                    act=operation["operationId"],
                    method=method.upper(),
                    path=path,
                    text=operation.get("description", ""),
                    roles=operation.get("x-kap-roles", ["no token needed"]),
                    curl=_curl(schema, base + path, method, operation),
                ),
            )


def _curl(schema: dict[str, Any], address: str, method: str, operation: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    asked = [f"{one['name']}=…" for one in parameters if one["in"] == "query" and one["required"]]
    verb = "-X PATCH " if method == "patch" else ""
    lines = [f"curl {verb}'{address}{'?' if asked else ''}{'&'.join(asked)}'"]
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if any(one["name"] == "Idempotency-Key" for one in parameters):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if any(one["name"] == "If-Match" for one in parameters):
        version = "<plan_hash>" if operation["operationId"] == "approve_plan" else "<version>"
        lines.append(f"""-H 'If-Match: "{version}"'""")
    media, example = example_of(schema, operation)
    if media:
        lines += [f"-H 'Content-Type: {media}'", f"-d '{json.dumps(example)}'"]
    return " \\\n  ".join(lines)


def example_of(schema: dict[str, Any], operation: dict[str, Any]) -> tuple[str, Any]:
    """The media type and the first example of a route's body; an empty media type when it has none."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if "examples" in content:
            return media, next(iter(content["examples"].values()))["value"]
        body = content["schema"].get("anyOf", [content["schema"]])[0]  # an optional body is this or null
        name = body.get("$ref", "").rpartition("/")[2]
        examples = schema["components"]["schemas"].get(name, content["schema"]).get("examples", [None])
        return media, examples[0]
    return "", None
