"""Questions 1 to 6 on the small company: what is used, how journeys go, where moods turn, what works or does harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.catalogue import catalogue
from pipeline.identities import Correction, correct
from tests.integration.questions_company import DAY, HOUR, MINUTE, company
from tests.integration.questions_world import World, arrangements, in_order, touch, world
from tests.integration.sinks_server import clickhouse


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture(scope="module", params=arrangements, ids=lambda arrange: str(arrange.__name__))
async def found(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with company(server, request.param) as landed:
        yield landed


async def test_touchpoint_usage_counts_uses_and_who_is_known(found: World) -> None:
    rows = await found.ask(
        "SELECT channel, touchpoint, in_catalogue, stage, touchpoints, inbound, customers, known_customers"
        " FROM touchpoint_usage WHERE (channel, touchpoint) IN"
        " (('web', 'cart_add'), ('web', 'x_quiz'), ('delivery', 'shipped'), ('phone', 'inquiry'), ('email', 'sent'))"
    )
    assert rows == [
        ("web", "cart_add", True, "purchase", 4, 4, 3, 2),  # ann, bob twice, and a device
        ("phone", "inquiry", True, "service", 2, 2, 2, 2),  # ann and gus
        ("delivery", "shipped", True, "delivery", 1, 0, 1, 1),  # the company's doing
        ("web", "x_quiz", False, "consideration", 1, 1, 1, 1),
        ("email", "sent", True, "awareness", 0, 0, 0, 0),
    ]
    # 8 of ann, 13 of bob, 6 of cid, 5 of dan, 5 of eve, 7 of fay, 7 of gus, 4 of hal.
    totals = await found.ask("SELECT count(), sum(touchpoints), round(sum(share), 9) FROM touchpoint_usage")
    assert totals == [(len(list(catalogue().rows())) + 1, 55, 1.0)]


async def test_the_journey_map_shows_a_place_as_it_was(found: World) -> None:
    rows = await found.ask(
        "SELECT stage, channel, touchpoints, inbound, outbound, customers, journeys, top_touchpoints, moods, converted,"
        " unresolved, wait_ms_avg, values FROM journey_map"
        " WHERE (stage, channel) IN (('purchase', 'web'), ('service', 'phone'), ('loyalty', 'email'))"
    )
    most = ["cart_add", "checkout_start", "purchase"]
    assert rows == [
        # 3 of ann, 5 of bob, 1 of the device, 2 of cid, 1 of gus; the cart left and the failed checkout went wrong.
        ("purchase", "web", 12, 12, 0, 5, 5, most, 1, 2, 2, None, {"EUR": 150.0}),
        # (30 + 600 + 300 + 120 + 60) / 5 = 222 seconds
        ("service", "phone", 5, 5, 0, 4, 4, ["inquiry", "call_abandon", "complaint"], 3, 0, 2, 222_000.0, {}),
        ("loyalty", "email", 1, 0, 1, 1, 1, ["reminder"], 0, 0, 0, None, {}),
    ]
    moods = await found.ask(
        "SELECT round(sentiment_avg, 9) FROM journey_map WHERE (stage, channel) = ('service', 'phone')"
    )
    assert moods == [(round((0.4 - 0.6 + 0.4) / 3, 9),)]


async def test_moments_of_truth_say_where_moods_turn(found: World) -> None:
    rows = await found.ask(
        "SELECT stage, channel, touchpoint, moods, sentiment_avg, round(stage_sentiment_avg, 9), bad, good, turned_bad,"
        " turned_good, change_avg FROM moments_of_truth"
    )
    service = round(
        (0.4 - 0.6 - 0.5 - 0.8 - 0.4 + 0.4 - 0.5 + 0.4 + 0.8) / 9, 9
    )  # ann, bob thrice, cid, eve, gus twice, hal
    assert rows == [
        ("purchase", "in_store", "purchase", 1, 0.6, 0.55, 0, 1, 0, 0, None),  # cid's first mood turns nothing
        ("purchase", "web", "purchase", 1, 0.5, 0.55, 0, 1, 0, 0, None),
        ("service", "in_store", "service_desk", 1, -0.4, service, 1, 0, 1, 0, -1.0),  # cid: 0.6, then -0.4
        ("service", "phone", "complaint", 1, -0.6, service, 1, 0, 1, 0, -1.1),  # bob: 0.5, then -0.6
        ("service", "phone", "inbound_call", 1, 0.4, service, 0, 1, 0, 1, 0.9),  # gus: -0.5, then 0.4
        ("service", "community", "solution_accepted", 1, 0.8, service, 0, 1, 0, 0, None),
        ("service", "helpdesk", "ticket_escalated", 1, -0.8, service, 1, 0, 0, 0, -0.3),  # bad before
        ("service", "live_chat", "chat_abandon", 1, -0.5, service, 1, 0, 0, 0, None),
        ("service", "live_chat", "chat_end", 1, -0.5, service, 1, 0, 0, 0, 0.1),  # still bad
        ("service", "phone", "inquiry", 1, 0.4, service, 0, 1, 0, 0, None),
        ("service", "self_service", "kb_article", 1, 0.4, service, 0, 1, 0, 0, None),
        ("loyalty", "subscription", "cancelled", 1, -0.9, -0.9, 1, 0, 0, 0, None),
    ]


async def test_channel_performance_weighs_results_against_costs(found: World) -> None:
    rows = await found.ask(
        "SELECT channel, touchpoints, customers, journeys, opened, closed, converted, resolved, unresolved,"
        " resolution_rate, values, round(cost, 6), round(cost_per_customer, 6), cost_per_conversion,"
        " cost_per_resolution FROM channel_performance WHERE channel IN ('web', 'phone', 'in_store', 'delivery')"
    )
    assert rows == [
        # Journeys are those of keys: ann, bob, the device, cid, fay's second, gus, hal's first. A touch costs 0.01.
        ("web", 17, 7, 7, 4, 3, 3, 0, 2, 0.0, {"EUR": 150.0}, 0.17, round(0.17 / 7, 6), 0.17 / 3, None),
        ("phone", 5, 4, 4, 0, 2, 2, 3, 2, 0.6, {}, 30.0, 7.5, 15.0, 10.0),  # closed: ann and dan
        ("delivery", 2, 1, 0, 0, 0, 0, 0, 0, None, {}, 0.1, 0.1, None, None),  # outbound only: no journey is made of it
        ("in_store", 2, 1, 1, 0, 1, 1, 1, 0, 1.0, {"USD": 75.0}, 8.0, 8.0, 8.0, 8.0),
    ]


async def test_handoffs_go_along_a_persons_journey_across_devices(found: World) -> None:
    rows = await found.ask(
        "SELECT person_id, step, from_channel, to_channel, between_ms, within_visit, converted FROM handoffs"
        " ORDER BY person_id, journey_started_at, step"
    )
    assert rows == [
        ("ann", 1, "web", "phone", 4 * DAY + 40 * MINUTE, False, False),
        ("bob", 1, "email", "web", 5 * MINUTE, True, True),
        ("bob", 2, "web", "phone", 5 * DAY + 23 * HOUR + 20 * MINUTE, False, False),
        ("bob", 3, "phone", "live_chat", DAY, False, False),
        ("bob", 4, "live_chat", "helpdesk", 23 * HOUR + 50 * MINUTE, False, False),
        ("cid", 1, "web", "in_store", 55 * MINUTE, False, True),  # from the device to the customer it is web to web
        ("dan", 1, "subscription", "phone", 2 * HOUR, False, False),
        ("eve", 1, "subscription", "self_service", HOUR, False, True),
        ("eve", 2, "self_service", "subscription", 23 * HOUR, False, True),
        ("fay", 1, "web", "subscription", DAY, False, False),  # twenty days after the journey before
        ("gus", 1, "live_chat", "self_service", 18 * HOUR + 52 * MINUTE, False, False),
        ("gus", 2, "self_service", "phone", 2 * MINUTE, True, False),
        ("gus", 3, "phone", "mobile_app", 11 * DAY + 9 * HOUR, False, False),
        ("gus", 4, "mobile_app", "web", 10 * MINUTE, True, False),
        ("hal", 1, "advertising", "web", MINUTE, True, False),
    ]


async def test_channel_handoffs_add_them_up(found: World) -> None:
    rows = await found.ask("SELECT * FROM channel_handoffs WHERE from_channel IN ('web', 'email')")
    between = (4 * DAY + 40 * MINUTE, 5 * DAY + 23 * HOUR + 20 * MINUTE)  # ann, bob
    middle, most = sum(between) / 2, between[0] + 0.95 * (between[1] - between[0])
    assert rows == [
        ("web", "phone", 2, 2, 2, 0.5, 0, middle, most, 0, 0.0),
        ("email", "web", 1, 1, 1, 1.0, 1, 5.0 * MINUTE, 5.0 * MINUTE, 1, 1.0),
        ("web", "in_store", 1, 1, 1, 0.25, 0, 55.0 * MINUTE, 55.0 * MINUTE, 1, 1.0),
        ("web", "subscription", 1, 1, 1, 0.25, 0, float(DAY), float(DAY), 0, 0.0),
    ]


async def test_priorities_compare_with_those_who_did_not_meet_it(found: World) -> None:
    leaving = "SELECT customer_id FROM customers WHERE level IN ('high', 'critical', 'gone') ORDER BY customer_id"
    assert await found.ask(leaving) == [("dan",), ("fay",)]
    rows = await found.ask(
        "SELECT channel, touchpoint, touchpoints, customers, reach, round(bad_share, 9), undecided, conversion_rate,"
        " round(conversion_rate_others, 9), leaving_rate, round(leaving_rate_others, 9), round(priority, 9)"
        " FROM touchpoint_priorities WHERE (channel, touchpoint) IN (('phone', 'call_abandon'), ('web', 'purchase'),"
        " ('live_chat', 'chat_start'), ('web', 'checkout_start'), ('subscription', 'trial_start'))"
    )
    # Eight persons, all known; ann, bob, cid, eve and fay converted, dan and fay are leaving.
    assert rows == [
        # dan, eve and fay: two converted, as against three of five; two are leaving, as against none
        ("subscription", "trial_start", 3, 3, 3 / 8, 0.0, 3, 2 / 3, 3 / 5, 2 / 3, 0.0, 2.0),
        # dan, who never converted, against five of seven; he is leaving, and so is one of the seven
        ("phone", "call_abandon", 1, 1, 1 / 8, 1.0, 1, 0.0, _ninth(5 / 7), 1.0, _ninth(1 / 7), _ninth(5 / 7 + 6 / 7)),
        # bob had converted before, so gus alone is undecided; neither is leaving, as against two of six
        ("live_chat", "chat_start", 2, 2, 2 / 8, 0.0, 1, 0.0, _ninth(5 / 7), 0.0, _ninth(2 / 6), _ninth(5 / 7)),
        # ann, bob and cid converted after it and gus did not: better than two of four
        ("web", "checkout_start", 4, 4, 4 / 8, 0.0, 4, 0.75, 2 / 4, 0.0, 2 / 4, 0.0),
        # who met it converted with it, so that it says nothing of conversion
        ("web", "purchase", 2, 2, 2 / 8, 0.0, 0, None, 5 / 8, 0.0, _ninth(2 / 6), 0.0),
    ]


async def test_stage_conversion_shows_where_persons_drop_out(found: World) -> None:
    rows = await found.ask(
        "SELECT stage, journeys, customers, went_on, met_next, dropped_out, still_open, converted, dropped_in"
        " FROM stage_conversion"
    )
    assert rows == [
        ("awareness", 3, 3, 3, 2, 0, 0, 2, {}),  # ann, cid by the device, hal
        ("consideration", 6, 6, 5, 2, 1, 0, 4, {"web": 1}),  # ann, bob, dan, eve, fay go on; hal ends at the quiz
        ("purchase", 4, 4, 4, 0, 0, 0, 3, {}),  # ann, bob, cid, gus: on to service; parcels make no journey
        ("delivery", 3, 3, 2, 2, 0, 0, 2, {}),  # dan, eve; fay stops here, but activated
        ("service", 7, 7, 0, 0, 3, 0, 4, {"community": 1, "phone": 1, "web": 1}),  # hal's second, dan, gus
        ("loyalty", 1, 1, 0, 0, 1, 0, 0, {"subscription": 1}),  # fay's second journey
    ]


async def test_taking_a_link_back_undoes_what_it_did(server: tuple[str, str]) -> None:
    records = [
        touch("anon:device-2", "2026-03-03 20:00", "web.landing_page", anonymous_id="device-2"),
        touch("ida", "2026-03-05 18:00", "mobile_app.purchase", anonymous_id="device-2", outcome="converted"),
    ]
    async with world(server, "links", in_order(records)) as found:
        assert await found.ask("SELECT person_id, converted FROM handoffs") == [("ida", True)]
        stages = "SELECT stage, journeys, converted, dropped_out FROM stage_conversion WHERE journeys > 0"
        assert await found.ask(stages) == [("awareness", 1, 1, 0), ("purchase", 1, 1, 0)]
        await correct(found.client, Correction("device-2", "ida", False))
        assert await found.ask("SELECT person_id, converted FROM handoffs") == []
        assert await found.ask(stages) == [("awareness", 1, 0, 1), ("purchase", 1, 1, 0)]


async def test_what_is_recent_is_open_and_counts_as_such(server: tuple[str, str]) -> None:
    records = [touch("ida", _ago(days), "web.search") for days in (3, 40, 45, 70)]
    async with world(server, "recent", in_order(records)) as found:
        usage = await found.ask("SELECT last_30_days, previous_30_days FROM touchpoint_usage WHERE touchpoints > 0")
        assert usage == [(1, 2)]
        stages = await found.ask(
            "SELECT journeys, customers, dropped_out, still_open FROM stage_conversion WHERE journeys > 0"
        )
        assert stages == [(3, 1, 2, 1)]


async def test_what_came_too_late_counts_where_journeys_are_not_asked(server: tuple[str, str]) -> None:
    too_late = [
        touch("ida", "2025-09-01 10:00", "advertising.ad_click"),
        touch("ida", "2025-09-01 10:05", "web.search"),
    ]
    async with world(server, "too_late", [[touch("ida", "2026-03-01 10:00", "web.search")], too_late]) as found:
        stages = "SELECT stage, journeys FROM stage_conversion WHERE journeys > 0"
        assert await found.ask(stages) == [("consideration", 1)]
        assert await found.ask("SELECT from_channel, to_channel FROM handoffs") == [("advertising", "web")]
        await found.rebuild("ida")
        assert await found.ask(stages) == [("awareness", 1), ("consideration", 2)]


def _ninth(number: float) -> float:
    return round(number, 9)


def _ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).replace(tzinfo=None).isoformat(" ", "milliseconds")
