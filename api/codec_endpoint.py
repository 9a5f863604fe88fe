"""What does the codec endpoint answer to the Temporal Web UI? (`python -m api.codec`)

`POST /decode` and `POST /for/{purpose}/decode` in the form that Temporal asks for (payloads as JSON). The bearer
token is the UI's own, passed on (`TEMPORAL_CODEC_PASS_ACCESS_TOKEN`); whom it lets read: `api.codec_reading`. Pages
of `KAP_UI_ORIGIN` only may call it. Whoever may not read gets a problem, and the UI goes on showing ciphertext.
The Web UI of the development server has no login: there a page of this process takes a token and keeps it
(`api.codec_session`), in development only.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from fastapi import FastAPI, Request, Response
from google.protobuf import json_format
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads

from api import codec_session, errors
from api.codec_reading import PayloadReading
from api.errors import trace_id_of
from api.problems import Problem
from api.purposes import Purpose
from api.serving import run, server_of
from api.telemetry import RequestLog
from api.tokens import TokenVerifier, verifier_of
from services.access.access import access_on
from services.database import Database
from services.encryption import FieldCipher, KeyRing, PayloadCodec
from services.records.sites_in_use import SitesInUse
from services.settings import Settings, SettingsInvalid
from services.starting import configured
from services.telemetry.endpoint import MetricsEndpoint
from services.telemetry.metrics import CODEC_DECODED
from services.telemetry.tracing import Tracing

MAX_BODY_BYTES = 8 * 1024 * 1024
METHODS = "POST"
HEADERS = "authorization, authorization-extras, caller-type, content-type, x-csrf-token, x-namespace"
"""What the Web UI sends along."""
NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,200}")


@dataclass(frozen=True)
class Codec:
    """What this process is made of."""

    build: str
    ui_origin: str
    tokens: TokenVerifier
    reading: PayloadReading
    sessions: codec_session.Sessions | None
    tracing: Tracing
    close: Callable[[], Awaitable[None]]


def compose(settings: Settings) -> Codec:
    if settings.ui_origin is None:
        raise SettingsInvalid(
            ("KAP_UI_ORIGIN: is required by the codec: only pages of the Web UI may call it",)
        )
    tracing = Tracing.from_settings(settings, "kap-codec")
    database = tracing.of_statements(Database(settings.database_url))
    open_for = timedelta(minutes=settings.break_glass_minutes)
    access = access_on(database, FieldCipher.from_settings(settings), open_for=open_for)
    payloads = PayloadCodec(KeyRing.from_settings(settings))
    return Codec(
        build=settings.build,
        ui_origin=settings.ui_origin,
        tokens=verifier_of(settings),
        reading=PayloadReading(payloads, access, SitesInUse(database)),
        sessions=None if settings.in_production else codec_session.Sessions(),
        tracing=tracing,
        close=database.dispose,
    )


def create_codec(codec: Codec) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await codec.close()
        codec.tracing.close()

    app = FastAPI(title="Codec endpoint", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(OneOrigin, origin=codec.ui_origin)
    app.add_middleware(RequestLog, tracer=codec.tracing.tracer)
    errors.install(app)

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "up", "build": codec.build}

    @app.post("/decode")
    async def decode(request: Request) -> Response:
        return await _counted(codec, request, None)

    @app.post("/for/{purpose}/decode")
    async def decode_for(request: Request, purpose: str) -> Response:
        return await _counted(codec, request, purpose)

    if codec.sessions is not None:
        codec_session.install(app, codec.sessions, codec.tokens, codec.ui_origin)
    return app


async def _counted(codec: Codec, request: Request, purpose: str | None) -> Response:
    outcome = "failed"
    try:
        response, use = await _decoded(codec, request, purpose)
        outcome = "coded-words" if use is None else "shown"
        return response
    except Problem as problem:
        outcome = "refused" if problem.kind.status < 500 else "failed"
        raise
    finally:
        CODEC_DECODED.of(outcome=outcome).inc()


async def _decoded(codec: Codec, request: Request, purpose: str | None) -> tuple[Response, Purpose | None]:
    authorization = request.headers.get("authorization")
    if not authorization and codec.sessions is not None:
        authorization = codec.sessions.authorization_of(request)
    principal = await codec.tokens.verify(authorization)
    caller, use = await codec.reading.admit(principal, purpose)
    request.state.caller = caller
    payloads = await _payloads(request)
    named = request.headers.get("x-namespace", "")
    namespace = named if NAMESPACE.fullmatch(named) else "unnamed"
    plain = await codec.reading.read(caller, use, namespace, payloads, trace_id_of(request.scope))
    shown = json_format.MessageToJson(Payloads(payloads=plain))
    return Response(shown, media_type="application/json"), use


async def _payloads(request: Request) -> Sequence[Payload]:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise Problem("body-too-large", f"the body may have {MAX_BODY_BYTES} bytes")
    try:
        return json_format.Parse(bytes(body), Payloads()).payloads
    except json_format.ParseError:
        raise Problem("invalid-json", "the body holds no payloads") from None


class OneOrigin:
    """Cross-origin calls come from one page's origin; whoever else's browser asks gets nothing."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request = Request(scope)
        origin, own = request.headers.get("origin"), str(request.base_url).rstrip("/")
        if origin is None or origin == own:  # no other page has sent it
            return await self._app(scope, receive, send)
        if origin != self._origin:
            return await Response(status_code=403)(scope, receive, send)

        async def allowing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Allow-Credentials"] = "true"
                headers.append("Vary", "Origin")
            await send(message)

        if request.method == "OPTIONS":
            asked = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": HEADERS}
            return await Response(status_code=204, headers=asked)(scope, receive, allowing)
        await self._app(scope, receive, allowing)


def main() -> int:
    """Serve until asked to stop. Returns the exit status."""
    return configured(serve)


def serve(settings: Settings) -> int:
    app = create_codec(compose(settings))
    try:
        with MetricsEndpoint(settings):
            return run(server_of(app, settings.api_host, settings.codec_port))
    except OSError:
        structlog.get_logger(__name__).exception("cannot serve metrics")
        return 1
