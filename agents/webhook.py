"""Sends alerts to one HTTP destination, signed as Standard Webhooks say; what it says of a failure names no address."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time

import httpx

from pipeline.alerts.messages import Message, signature
from pipeline.alerts.retries import Outcome, retry_after
from pipeline.alerts.routes import Destination

GONE = 410
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below, they log the address of every request


class Webhook:
    """One destination's client. Any answer 2xx means that it has the message; redirects are not followed."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._http = httpx.AsyncClient(timeout=destination.timeout_seconds)

    async def send(self, message: Message) -> Outcome:
        """Post the message once; never raises for what the destination or the network does."""
        body, moment = message.body(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Touchline",
            "webhook-id": message.id,
            "webhook-timestamp": str(moment),
            "webhook-signature": signature(self._destination.secret, message.id, moment, body),
        }
        try:
            async with asyncio.timeout(self._destination.timeout_seconds):  # the client's own is for each read
                answer = await self._http.post(self._destination.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            return Outcome(in_words(error, self._destination.timeout_seconds))
        if answer.is_success:
            return Outcome()
        wish = retry_after(answer.headers.get("retry-after"), int(time.time() * 1000))
        return Outcome(f"HTTP {answer.status_code}", wish, final=answer.status_code == GONE)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._http.aclose()


def in_words(error: Exception, seconds: float) -> str:
    """Why nothing was answered. The texts of the client's errors may name hosts, so none of them is passed on."""
    match error:
        case httpx.TimeoutException() | TimeoutError():
            return f"no answer within {seconds:g} s"
        case httpx.ConnectError():
            return "no connection: is the destination up, its name right and its certificate valid?"
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return "the connection was lost before an answer"
        case _:
            return f"the request could not be made ({type(error).__name__})"
