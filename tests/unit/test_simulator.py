"""The simulated company: sound, reproducible, disorderly as in life, and honest about who leaves."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipeline.catalogue import catalogue
from pipeline.model import Rejected
from pipeline.simulator import Company, simulate
from pipeline.validation import parse_time, validate

NOW = datetime(2026, 3, 5, 15, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def company() -> Company:
    return simulate(1000, 33_000, 7, NOW)


@pytest.fixture(scope="module")
def records(company: Company) -> list[dict]:
    """Every distinct touchpoint as validated, in order of arrival."""
    return list({record["event_id"]: record for record in map(_valid, company.history + company.live)}.values())


def _valid(event: dict) -> dict:
    record = validate(event, NOW_MS, "http")
    assert not isinstance(record, Rejected), record
    return record


def _time(event: dict) -> int:
    moment = parse_time(event["occurred_at"])
    assert moment is not None
    return moment


def _backward_steps(events: list[dict]) -> int:
    times = [_time(event) for event in events]
    return sum(later < earlier for earlier, later in pairwise(times))


def test_the_same_arguments_give_the_same_company():
    assert simulate(60, 1500, 3, NOW) == simulate(60, 1500, 3, NOW)
    assert simulate(60, 1500, 3, NOW).history != simulate(60, 1500, 4, NOW).history


def test_another_now_leaves_the_same_people_and_fates():
    later = NOW + timedelta(days=10, hours=3)
    here, there = simulate(300, 9000, 3, NOW), simulate(300, 9000, 3, later)
    assert here.fates == there.fates
    assert here.leavers.keys() == there.leavers.keys()


@pytest.mark.parametrize(("customers", "touchpoints"), [(40, 600), (200, 2000), (100, 20_000), (1000, 33_000)])
def test_both_numbers_are_respected(customers: int, touchpoints: int):
    made = simulate(customers, touchpoints, 11, NOW)
    events = made.history + made.live
    assert len({event["event_id"] for event in events}) == made.touchpoints
    assert made.touchpoints == pytest.approx(touchpoints, rel=0.06)
    assert len({event["customer_id"] for event in events if "customer_id" in event}) == customers


@pytest.mark.parametrize("customers", [1, 5, 20])
def test_the_smallest_companies_can_be_made(customers: int):
    made = simulate(customers, 20 * customers, 2, NOW)
    assert len(list(map(_valid, made.history + made.live))) >= customers
    assert len(made.leavers) <= 1


def test_what_cannot_be_simulated_is_said():
    with pytest.raises(ValueError, match="touchpoints"):
        simulate(100, 300, 1, NOW)
    with pytest.raises(ValueError, match="time zone"):
        simulate(10, 300, 1, NOW.replace(tzinfo=None))


def test_every_event_is_accepted_and_every_mistake_refused(company: Company, records: list[dict]):
    assert len(records) == company.touchpoints
    answers = [validate(event, NOW_MS, "http") for event in company.bad]
    assert all(isinstance(answer, Rejected) for answer in answers)
    codes = {error.code for answer in answers if isinstance(answer, Rejected) for error in answer.errors}
    assert {
        "unknown_channel",
        "unknown_touchpoint",
        "time_naive",
        "time_future",
        "missing",
        "rating",
    } <= codes
    sound = {event["event_id"] for event in company.history + company.live}
    assert not sound & {event["event_id"] for event in company.bad}


def test_ids_are_uuids(records: list[dict]):
    version_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(version_4.fullmatch(record["event_id"]) for record in records)


def test_all_stages_and_many_channels_appear(records: list[dict]):
    assert {record["stage"] for record in records} == set(catalogue().stages)
    assert len({record["channel"] for record in records}) >= 12
    assert len({(record["channel"], record["touchpoint"]) for record in records}) >= 80


def test_the_fields_of_an_interaction_are_used(records: list[dict]):
    fields = ("outcome", "sentiment", "rating_score", "value", "wait_ms", "duration_ms", "reference")
    for field in (*fields, "staff_id", "campaign", "partner", "attributes", "anonymous_id"):
        assert sum(bool(record[field]) for record in records) > 100, field
    assert all(record["currency"] for record in records if record["value"] is not None)


def test_half_a_year_up_to_now(company: Company, records: list[dict]):
    times = [record["occurred_at"] for record in records]
    assert max(times) <= NOW_MS
    assert 150 * DAY_MS < max(times) - min(times) < 184 * DAY_MS
    assert all(_time(event) < company.live_from.timestamp() * 1000 for event in company.history)


def test_strangers_become_customers(records: list[dict]):
    unknown = {record["anonymous_id"] for record in records if record["customer_id"].startswith("anon:")}
    linked = {record["anonymous_id"] for record in records if not record["customer_id"].startswith("anon:")}
    assert len(unknown & linked) > 100


def test_references_tie_channels_together(records: list[dict]):
    channels: dict[str, set[str]] = {}
    for record in records:
        if record["reference"]:
            channels.setdefault(record["reference"], set()).add(record["channel"])
    assert sum(len(used) >= 3 for used in channels.values()) > 20


def test_history_and_live_are_out_of_order_and_hold_duplicates(company: Company):
    for events in (company.history, company.live):
        assert _backward_steps(events) > 0.02 * len(events)
        times = Counter(event["event_id"] for event in events)
        assert 0.003 * len(events) < sum(times.values()) - len(times) < 0.03 * len(events)
    assert len(company.history) + len(company.live) == company.touchpoints + company.duplicates


def test_a_duplicate_is_the_same_event_again(company: Company):
    first: dict[str, dict] = {}
    for event in company.history + company.live:
        assert first.setdefault(event["event_id"], event) == event


def test_orders_run_in_time_order(records: list[dict]):
    steps = ("purchase", "order_confirmed", "shipped", "delivered")
    orders: dict[str, dict[str, int]] = {}
    for record in records:
        if (record["reference"] or "").startswith("O-"):
            orders.setdefault(record["reference"], {})[record["touchpoint"]] = record["occurred_at"]
    assert len(orders) > 300
    for seen in orders.values():
        times = [seen[step] for step in steps if step in seen]
        assert times == sorted(times)


def test_leavers_are_few_and_their_last_touch_is_right(company: Company, records: list[dict]):
    last: dict[str, int] = {}
    for record in records:
        if record["direction"] == "inbound":
            last[record["customer_id"]] = max(last.get(record["customer_id"], 0), record["occurred_at"])
    assert 0.04 <= len(company.leavers) / company.customers <= 0.08
    for customer, moment in (company.leavers | company.gone).items():
        assert parse_time(moment) == last[customer]
    assert all(NOW_MS - _time({"occurred_at": moment}) < 60 * DAY_MS for moment in company.leavers.values())
    assert all(NOW_MS - _time({"occurred_at": moment}) > 40 * DAY_MS for moment in company.gone.values())


def test_people_leave_in_many_ways_and_others_only_seem_to(company: Company):
    assert not company.leavers.keys() & company.gone.keys()
    leaving = {company.fates[customer] for customer in company.leavers}
    staying = {fate for customer, fate in company.fates.items() if customer not in company.leavers | company.gone}
    assert len(leaving) >= 6
    assert {"won_back", "grumbles", "pauses", "thinks_twice", "only_unsubscribes"} <= staying
