"""Signing in with the read key, and out."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.collector.bucket import Bucket
from pipeline.collector.read_key import ReadKey
from pipeline.collector.refusal import Refusal
from pipeline.collector.small_body import form_of
from pipeline.console.gate import COOKIE, HOME, SIGN_IN, Form, back_to, common, now, ours
from pipeline.console.render import page
from pipeline.console.session import LASTS_SECONDS, Session, Sessions

TRIES = 10
TRIES_PER_SECOND = 0.1
"""Beyond the first tries one may try once in ten seconds, whoever it is: behind a proxy all look alike."""


class SignIn:
    """Gives a session to who knows the read key."""

    def __init__(self, key: ReadKey, sessions: Sessions) -> None:
        self._key = key
        self._sessions = sessions
        self._tries = Bucket(TRIES_PER_SECOND, TRIES, time.monotonic())

    async def show(self, request: Request) -> Response:
        """GET /console/sign-in."""
        return _page(request.query_params.get("next", ""))

    async def take(self, request: Request) -> Response:
        """POST /console/sign-in."""
        ours(request)
        form = await form_of(request)
        wait = self._tries.take(1, time.monotonic())
        if wait:
            return _page(form.get("next", ""), f"Too many tries. Try again in {wait:.0f} seconds.", 429)
        try:
            known = self._key.matches(form.get("key", "").strip())
        except Refusal as refusal:
            return _page(form.get("next", ""), f"Nobody can sign in: {refusal.message}.", refusal.status)
        if not known:
            return _page(form.get("next", ""), "This is not the read key: touchline up prints it when it starts.", 401)
        self._tries.give_back(1)  # whoever knows the key guesses nothing
        response = RedirectResponse(back_to(form.get("next", "")), 303)
        cookie = self._sessions.begin(form.get("by", "").strip(), now())
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=LASTS_SECONDS,
            path=HOME,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def leave(self, _: Request, session: Session, __: Form) -> Response:
        """POST /console/sign-out."""
        self._sessions.end(session, now())
        response = RedirectResponse(SIGN_IN, 303)
        response.delete_cookie(COOKIE, path=HOME, httponly=True, samesite="strict")
        return response


def _page(onward: str, problem: str = "", status: int = 200) -> Response:
    return page("sign_in", status, **common(None, ""), next=back_to(onward), problem=problem)
