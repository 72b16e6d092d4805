"""Sends alerts to chat, mail, pagers and the rest through the library Apprise, which the extra `alerts` brings."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from pipeline.alerts.messages import Message
from pipeline.alerts.retries import Outcome
from pipeline.alerts.routes import Destination
from pipeline.errors import ConfigurationError

for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)  # what they log may name addresses


class Service(Protocol):
    """The part of `apprise.Apprise` that is used."""

    def add(self, servers: str) -> bool:
        """Take an address; False where no service has such addresses."""

    def notify(self, body: str, title: str) -> bool | None:
        """Send, blocking; whether it was taken."""


class Notifier:
    """One destination's service. Raises ConfigurationError for an address that none understands."""

    def __init__(self, destination: Destination, service: Service | None = None) -> None:
        self._service = service if service is not None else _apprise()
        self._seconds = destination.timeout_seconds
        if not self._service.add(destination.url):
            raise ConfigurationError(
                f"TOUCHLINE_ALERTS: destinations.{destination.name}.url: Apprise knows no service with such an address"
            )

    async def send(self, message: Message) -> Outcome:
        """Notify once; never raises for what the service does. Services have no ids, so one may show it twice."""
        title, text = message.words()
        try:
            async with asyncio.timeout(self._seconds):
                taken = await asyncio.to_thread(self._service.notify, body=text, title=title)
        except TimeoutError:
            return Outcome(f"no answer within {self._seconds:g} s")
        except Exception as error:
            return Outcome(f"the service failed ({type(error).__name__})")
        return Outcome() if taken else Outcome("the service did not take it")

    async def close(self) -> None:
        """Nothing is kept open."""


def _apprise() -> Any:
    try:
        import apprise  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 (an extra, absent unless asked)
    except ImportError as error:
        raise ConfigurationError(
            "TOUCHLINE_ALERTS: a destination is of kind apprise: install touchline[alerts] for it"
        ) from error
    return apprise.Apprise()
