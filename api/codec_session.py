"""How does a developer sign in to the codec endpoint? In development only: the Web UI there has no login.

A page takes a token of the development issuer; the browser gets an opaque cookie that scripts cannot read and that
no other site sends along. What the token allows is asked anew with every reading. Sessions end with the process.
"""

import secrets
from urllib.parse import parse_qs

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.problems import Problem
from api.tokens import TokenVerifier, bearer_of

COOKIE = "kap_codec"
MAX_FORM_BYTES = 16 * 1024
MOST = 100

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Reading payloads</title>
<body style="font: 1rem sans-serif; max-width: 40rem; margin: 3rem auto">
<h1>Reading payloads in the Temporal Web UI</h1>
<p>{standing}</p>
<form method="post" action="/codec/session">
<p><label>A token of a medical director, as <code>./dev up</code> printed it<br>
<input name="token" type="password" autocomplete="off" required style="width: 100%"></label></p>
<p><button>Sign in</button></p></form>
<form method="post" action="/codec/session/end"><p><button>Sign out</button></p></form>
<p>Then, once for each browser: in the <a href="{ui}">Web UI</a> choose the glasses at the top right, &ldquo;Use my
browser setting and ignore Cluster-level setting&rdquo; with this page&rsquo;s address, and switch on
&ldquo;Include cross-origin credentials&rdquo;.</p>
"""


class Sessions:
    """Who has signed in at this process: an opaque name for each token."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def begin(self, token: str) -> str:
        name = secrets.token_urlsafe(32)
        self._tokens[name] = token
        while len(self._tokens) > MOST:
            self._tokens.pop(next(iter(self._tokens)))
        return name

    def end(self, request: Request) -> None:
        self._tokens.pop(request.cookies.get(COOKIE, ""), None)

    def authorization_of(self, request: Request) -> str | None:
        """The header that this browser would send, if it has signed in."""
        token = self._tokens.get(request.cookies.get(COOKIE, ""))
        return None if token is None else f"Bearer {token}"


def install(app: FastAPI, sessions: Sessions, tokens: TokenVerifier, ui_origin: str) -> None:
    @app.get("/")
    async def page(request: Request) -> HTMLResponse:
        signed_in = sessions.authorization_of(request) is not None
        standing = "This browser has signed in." if signed_in else "This browser sees ciphertext."
        # Without it the form would come from the origin "null", as from any page that hides where it is.
        own = {"Referrer-Policy": "same-origin"}
        return HTMLResponse(PAGE.format(standing=standing, ui=ui_origin), headers=own)

    @app.post("/codec/session")
    async def sign_in(request: Request) -> Response:
        authorization = request.headers.get("authorization") or await _from_form(request)
        await tokens.verify(authorization)
        answer = RedirectResponse("/", status_code=303)
        name = sessions.begin(bearer_of(authorization))
        answer.set_cookie(COOKIE, name, httponly=True, samesite="strict", path="/")
        return answer

    @app.post("/codec/session/end")
    async def sign_out(request: Request) -> Response:
        sessions.end(request)
        answer = RedirectResponse("/", status_code=303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
        return answer


async def _from_form(request: Request) -> str | None:
    if int(request.headers.get("content-length", "0")) > MAX_FORM_BYTES:
        raise Problem("body-too-large")
    given = parse_qs((await request.body()).decode(errors="replace")).get("token")
    return f"Bearer {given[0].strip()}" if given else None
