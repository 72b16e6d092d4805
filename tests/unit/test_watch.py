"""What ends a worker: a Kafka that is not the one it began on."""

from __future__ import annotations

import pytest

from pipeline.cluster import Cluster
from pipeline.epoch_log import Epoch
from pipeline.watch import difference

BEGAN = {"risk": 10, "alerts": 3}
KNOWN = {"risk": Epoch(10, "a"), "alerts": Epoch(3)}
NOW = Cluster("c1", {"risk": "a", "alerts": "x"})


def test_a_kafka_that_is_as_it_was_differs_in_nothing() -> None:
    assert difference(BEGAN, "c1", NOW, KNOWN) is None
    assert difference(BEGAN, "c1", Cluster("c1", {}), KNOWN) is None
    assert difference(BEGAN, "c1", Cluster("c1", {"risk": "", "alerts": ""}), KNOWN) is None


@pytest.mark.parametrize(
    ("now", "known", "words"),
    [
        (Cluster("c2", NOW.topics), KNOWN, "another Kafka"),
        (NOW, {**KNOWN, "risk": Epoch(11, "a")}, "topic risk has another epoch"),
        (NOW, {"risk": KNOWN["risk"]}, "topic alerts has another epoch"),
        (Cluster("c1", {**NOW.topics, "risk": "b"}), KNOWN, "topic risk was made anew"),
    ],
)
def test_a_kafka_that_is_another_is_noticed(now: Cluster, known: dict[str, Epoch], words: str) -> None:
    assert words in (difference(BEGAN, "c1", now, known) or "")
