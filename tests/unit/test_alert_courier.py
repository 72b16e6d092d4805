"""One destination's courier: again until taken, given up after a while, and digests together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from agents.courier import Courier, now_ms
from agents.notifier import Notifier
from agents.webhook import Webhook, in_words
from pipeline.alerts.backlog import Delivery
from pipeline.alerts.messages import Message
from pipeline.alerts.retries import Outcome
from pipeline.alerts.routes import Destination
from pipeline.errors import ConfigurationError
from tests.receiver import SECRET, receiving
from tests.unit.test_alert_messages import alert

DESTINATION = Destination("crm", "webhook", "http://127.0.0.1:1/token-hidden", SECRET, 1.0, give_up=60_000)


class Scripted:
    """A sender that answers as it is told, and with success when it has been told no more."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.sent: list[Message] = []

    async def send(self, message: Message) -> Outcome:
        self.sent.append(message)
        return self.outcomes.pop(0) if self.outcomes else Outcome()

    async def close(self) -> None:
        pass


class Desk:
    """Takes reports; `finished` once as many deliveries as expected are closed."""

    def __init__(self, expected: int) -> None:
        self.reports: list[tuple[int, str | None, bool]] = []
        self.finished = asyncio.Event()
        self._left = expected

    async def report(self, delivery: Delivery, outcome: Outcome, given_up: bool) -> None:
        self.reports.append((delivery.attempts, outcome.error, given_up))
        if outcome.error is None or given_up:
            delivery.done = True
            self._left -= 1
            if not self._left:
                self.finished.set()


def delivery(number: int, digest: int | None = None, began: int | None = None) -> Delivery:
    began = now_ms() if began is None else began
    return Delivery(alert(number), "crm", 0, number, began, digest, began)


async def worked(sender: Scripted, deliveries: Sequence[Delivery]) -> list[tuple[int, str | None, bool]]:
    desk = Desk(len(deliveries))
    courier = Courier(DESTINATION, sender, desk.report)
    courier.add(deliveries)
    running = asyncio.create_task(courier.run())
    await asyncio.wait_for(desk.finished.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return desk.reports


async def test_it_tries_again_until_it_is_taken() -> None:
    sender = Scripted(Outcome("HTTP 500"), Outcome("HTTP 500"))
    reports = await worked(sender, [delivery(1)])
    assert reports == [(1, "HTTP 500", False), (2, "HTTP 500", False), (3, None, False)]
    assert len({message.id for message in sender.sent}) == 1


async def test_what_is_too_old_or_gone_is_given_up() -> None:
    assert await worked(Scripted(Outcome("HTTP 500")), [delivery(1, began=now_ms() - 61_000)]) == [
        (1, "HTTP 500", True)
    ]
    assert await worked(Scripted(Outcome("HTTP 410", final=True)), [delivery(1)]) == [(1, "HTTP 410", True)]


async def test_a_digest_is_one_message_also_when_it_is_tried_again() -> None:
    sender = Scripted(Outcome("HTTP 500"))
    await worked(sender, [delivery(1, digest=4), delivery(2, digest=4), delivery(3, digest=5)])
    digests = [message for message in sender.sent if message.type == "alert.digest"]
    assert [len(message.alerts) for message in digests] in ([2, 2], [2])
    assert len({message.id for message in digests}) == 1


async def test_what_is_acknowledged_meanwhile_is_not_sent() -> None:
    first, second = delivery(1), delivery(2)
    first.done = True
    sender = Scripted()
    await worked(sender, [second])
    desk = Desk(1)
    courier = Courier(DESTINATION, sender, desk.report)
    courier.add([first, delivery(3)])
    running = asyncio.create_task(courier.run())
    await asyncio.wait_for(desk.finished.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [message.alerts[0]["customer_id"] for message in sender.sent] == ["c-2", "c-3"]


class Slow(Scripted):
    """A sender that answers when it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        self.asked.set()
        await self.answers.wait()
        return await super().send(message)


async def test_an_attempt_under_way_is_finished_before_the_worker_ends() -> None:
    desk, sender = Desk(1), Slow()
    courier = Courier(DESTINATION, sender, desk.report)
    courier.add([delivery(1)])
    running = asyncio.create_task(courier.run())
    await sender.asked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    sender.answers.set()
    await courier.settle(30)
    await courier.close()
    assert desk.reports == [(1, None, False)]


async def test_an_attempt_that_does_not_end_is_given_up_with_the_worker() -> None:
    desk, sender = Desk(1), Slow()
    courier = Courier(DESTINATION, sender, desk.report)
    courier.add([delivery(1)])
    running = asyncio.create_task(courier.run())
    await sender.asked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await courier.close()
    assert desk.reports == []


async def test_a_report_that_fails_ends_the_courier() -> None:
    async def report(*_: object) -> None:
        raise RuntimeError("our own fault")

    courier = Courier(DESTINATION, Scripted(), report)
    courier.add([delivery(1)])
    with pytest.raises(RuntimeError, match="our own fault"):
        await asyncio.wait_for(courier.run(), 30)


async def test_one_that_answers_drop_by_drop_is_not_waited_for() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 Fine\r\nContent-Length: 1000000\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    sender = Webhook(Destination("crm", "webhook", url, SECRET, 0.5))
    assert await sender.send(Message.of([alert()])) == Outcome("no answer within 0.5 s")
    await sender.close()
    server.close()


async def test_a_webhook_tells_what_failed_without_the_address() -> None:
    message = Message.of([alert()])
    async with receiving(status=503) as receiver:
        down = Webhook(Destination("crm", "webhook", receiver.url, SECRET, 1.0))
        assert await down.send(message) == Outcome("HTTP 503")
        await down.close()
    for url in (DESTINATION.url, "http://no.such.host.invalid/token-hidden", "http://[hidden"):
        sender = Webhook(Destination("crm", "webhook", url, SECRET, 1.0))
        outcome = await sender.send(message)
        await sender.close()
        assert outcome.error is not None
        assert "hidden" not in outcome.error
        assert "invalid" not in outcome.error


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
def test_no_error_of_the_client_is_passed_on_in_its_own_words(kind: type[httpx.HTTPError]) -> None:
    assert "hidden" not in in_words(kind("https://hidden"), 1.0)
    assert "hidden" not in in_words(OSError("hidden"), 1.0)


class Chat:
    """A service of Apprise, as far as it is used."""

    def __init__(self, known: bool = True, taken: bool | None = True) -> None:
        self.known, self.taken = known, taken
        self.shown: list[tuple[str, str]] = []

    def add(self, servers: str) -> bool:
        return self.known

    def notify(self, body: str, title: str) -> bool | None:
        self.shown.append((title, body))
        if self.taken is None:
            raise OSError("slack://hidden does not answer")
        return self.taken


async def test_a_notifier_tells_people_in_words() -> None:
    chat = Chat()
    assert await Notifier(DESTINATION, chat).send(Message.of([alert()])) == Outcome()
    [(title, text)] = chat.shown
    assert title == "c-1: high risk of leaving, score 70"
    assert "complained today (+30)" in text
    assert await Notifier(DESTINATION, Chat(taken=False)).send(Message.of([alert()])) == Outcome(
        "the service did not take it"
    )
    assert await Notifier(DESTINATION, Chat(taken=None)).send(Message.of([alert()])) == Outcome(
        "the service failed (OSError)"
    )
    with pytest.raises(ConfigurationError, match=r"destinations\.crm\.url") as refused:
        Notifier(DESTINATION, Chat(known=False))
    assert "hidden" not in str(refused.value)
