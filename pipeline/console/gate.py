"""What stands before every page: the session, where a form comes from, the headers, and errors told as pages."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pipeline.collector.refusal import Refusal
from pipeline.collector.small_body import form_of
from pipeline.console.render import page
from pipeline.console.session import Session, Sessions
from pipeline.errors import TouchlineError
from pipeline.model import ContractError

HOME = "/console"
SIGN_IN = "/console/sign-in"
COOKIE = "touchline_console"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers then send `Origin: null` with our own forms, which could not be told from others'.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
Endpoint = Callable[[Request], Awaitable[Response]]
Form = Mapping[str, str]


class Gate:
    """Lets through to a page who is signed in, and to an action who also sends a form of ours."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def page(self, handler: Callable[[Request, Session], Awaitable[Response]]) -> Endpoint:
        """A page for who is signed in; anybody else is sent to sign in, and then back."""

        async def answer(request: Request) -> Response:
            session = self.session(request)
            if session is None:
                here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"{SIGN_IN}?next={quote(here, safe='')}", 303)
            return await handler(request, session)

        return self.plain(answer)

    def data(self, handler: Callable[[Request], Awaitable[Response]]) -> Endpoint:
        """What a page's script fetches: 401 tells it that the session is over."""

        async def answer(request: Request) -> Response:
            if self.session(request) is None:
                return JSONResponse({"error": {"code": "signed_out", "message": "sign in again"}}, 401)
            return await handler(request)

        return self.plain(answer)

    def action(self, handler: Callable[[Request, Session, Form], Awaitable[Response]]) -> Endpoint:
        """What a form orders: it must come from our own page, in the session that the page was made for."""

        async def answer(request: Request) -> Response:
            ours(request)
            session = self.session(request)
            if session is None:
                return RedirectResponse(SIGN_IN, 303)
            form = await form_of(request)
            if not self._sessions.is_from(session, form.get("token", "")):
                raise Refusal(
                    403, "token", "this form is of another session: go back, load the page again, and send anew"
                )
            return await handler(request, session, form)

        return self.plain(answer)

    def plain(self, answer: Endpoint) -> Endpoint:
        """Anything of the console: with its headers, and with errors as pages."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await answer(request)
            except Refusal as refusal:
                response = self._told(request, refusal.status, str(refusal))
            except ContractError as error:
                response = self._told(request, 422, str(error))
            except TouchlineError as error:
                response = self._told(request, 503, str(error))
            for name, value in HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return endpoint

    async def home(self, _: Request) -> Response:
        """To the console, from the root of the listener."""
        return RedirectResponse(HOME, 303)

    def session(self, request: Request) -> Session | None:
        """The session of whoever asks."""
        return self._sessions.read(request.cookies.get(COOKIE, ""), now())

    def _told(self, request: Request, status: int, message: str) -> Response:
        if request.url.path.endswith(".json"):
            return JSONResponse({"error": {"code": "unavailable", "message": message}}, status)
        return page("error", status, **common(self.session(request), ""), status=status, message=message)


def ours(request: Request) -> None:
    """Let only what our own pages send pass: browsers say with every POST where it comes from. Raises Refusal."""
    origin = request.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise Refusal(403, "origin", "this form was not sent from the console: open it in your browser, and send anew")


def common(session: Session | None, here: str) -> dict[str, Any]:
    """What every page needs: who is signed in, and which entry of the menu it is."""
    return {"session": session, "here": here}


def back_to(path: str) -> str:
    """A place within the console to go on to; anything else means its beginning."""
    known = path == HOME or path.startswith((f"{HOME}/", f"{HOME}?"))
    return path if known and path.isprintable() and "\\" not in path else HOME


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())
