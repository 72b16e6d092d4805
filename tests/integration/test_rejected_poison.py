"""Poison in topic `rejected` itself: landing keeps a dead letter of it, and feeds nothing back into the topic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.attach import Target, attach
from pipeline.landed import wait_until_landed
from pipeline.local.installation import Installation
from pipeline.log_reader import log_reader
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from schemas.codec import Encoder
from tests.command import touchline
from tests.integration.sinks_samples import Sample, rejected, touchpoint, uid

POISON = {
    "framing": b"no framing at all",
    "schema_id": Encoder("touchpoints")(touchpoint(1)),
    "body": Encoder("rejected")(rejected(2))[:-3],
    "refused": Encoder("rejected")(
        rejected(3, dead_letter_id="the engine wants a UUID here", event_id=uid("event", 3))
    ),
}


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    folder = tmp_path_factory.mktemp("stack")
    async with (
        Installation(Settings(collector_port=0, collector_private_port=0), folder),
        attach(Settings(), folder) as target,
    ):
        yield target


def as_if_landing_had_refused_it(number: int) -> Sample:
    """A dead letter about a dead letter: what a loop would be made of."""
    return rejected(number, source="landing", topic="rejected", dead_letter_id="no UUID either")


async def test_poison_among_the_dead_letters_does_not_feed_itself(target: Target) -> None:
    loop = Encoder("rejected")(as_if_landing_had_refused_it(4))
    values = [*POISON.values(), loop, Encoder("rejected")(rejected(5, topic=None))]
    publisher = Publisher(target.kafka_url)
    await publisher.publish("rejected", [(None, value) for value in values])
    await publisher.stop()
    async with await target.clickhouse() as client, log_reader(target.kafka_url) as log:
        await wait_until_landed(target.kafka_url, client, timeout=60)
        query = "SELECT code, event_id FROM rejected WHERE topic = 'rejected' ORDER BY code, event_id"
        found = await client.query(query)
        assert found == [
            ("body", None),
            ("framing", None),
            ("refused", uid("event", 3)),
            ("refused", None),
            ("schema_id", None),
        ]
        assert await client.query("SELECT count() FROM rejected") == [(len(values),)]
        ends = await log.spans(["rejected"])
        assert sum(span.end - span.first for span in ends.values()) == len(values), "nothing was fed back"


async def test_the_audit_knows_where_they_are(target: Target, tmp_path: Path) -> None:
    assert target.data is not None
    answer = await touchline("audit", "--data", str(target.data), "--json")
    assert answer.status == 0, answer.output
    lines = [line for line in answer.json()["partitions"] if line["topic"] == "rejected"]
    assert sum(line["dead_letters"] for line in lines) == len(POISON) + 1
    assert sum(line["landed"] for line in lines) == 1
