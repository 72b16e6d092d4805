"""What may be read while a rebalance is ending: nothing that a stream would throw away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from mode.utils.queues import FlowControlEvent

from agents.fetching import ConsumerThread
from agents.flow import Flow

EVENTS, STATES = TP("touchpoints", 0), TP("states-changelog", 0)


def thread(flow_control: FlowControlEvent) -> Any:
    """A consumer's thread, as far as the decision goes."""
    app = SimpleNamespace(flow_control=flow_control, flow=Flow(1_000))
    consumer = SimpleNamespace(app=app, _is_changelog_tp=lambda tp: tp == STATES)
    return SimpleNamespace(consumer=consumer)


@pytest.mark.parametrize("resumed", [False, True])
async def test_touchpoints_are_read_once_the_streams_take_them_and_states_before(resumed: bool) -> None:
    flow_control = FlowControlEvent(initially_suspended=True)
    if resumed:
        flow_control.resume()
    assert ConsumerThread._may_read(thread(flow_control), EVENTS) is resumed
    assert ConsumerThread._may_read(thread(flow_control), STATES)
