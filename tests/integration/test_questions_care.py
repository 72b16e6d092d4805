"""Questions 6 to 8 on the small company: what is abandoned and recovered, who is stuck, how well people are helped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.questions_company import DAY, EUR, HOUR, MINUTE, cart, company, step
from tests.integration.questions_world import World, arrangements, in_order, moment, touch, world
from tests.integration.sinks_server import clickhouse

VIEWS = (
    *("touchpoint_usage", "journey_map", "moments_of_truth", "channel_performance", "handoffs", "channel_handoffs"),
    *("touchpoint_priorities", "stage_conversion", "attempts", "abandonment", "onboarding", "support_cases"),
    "support_quality",
)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture(scope="module", params=arrangements, ids=lambda arrange: str(arrange.__name__))
async def found(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with company(server, request.param) as landed:
        yield landed


def at(text: str) -> datetime:
    """A time, as the client gives it."""
    return datetime.fromtimestamp(moment(text) / 1000, UTC).replace(tzinfo=None)


async def test_attempts_to_buy_end_completed_or_abandoned(found: World) -> None:
    rows = await found.ask(
        "SELECT person_id, kind, channel, began_at, ended_at, reference, value, currency, abandoned, recovered_at,"
        " recovered_by, lost FROM attempts WHERE kind IN ('cart', 'checkout') ORDER BY person_id, began_at"
    )
    march = {hour: at(f"2026-03-{hour}") for hour in ("02 09:10", "02 09:20", "02 12:05", "02 12:10", "04 09:30")}
    paid = at("2026-03-04 09:40")
    device, shop = at("2026-03-03 20:10"), at("2026-03-05 19:00")
    left_for_good = at("2026-03-20 18:00"), at("2026-03-20 18:10")
    assert rows == [
        ("ann", "checkout", "web", march["02 09:10"], march["02 09:20"], "O-1", 100.0, "EUR", False, None, None, False),
        # Left at 50 EUR, its last worth, and made good by the purchase two days later, which was an attempt of its own.
        (
            "bob",
            "cart",
            "web",
            march["02 12:05"],
            march["02 12:10"],
            None,
            50.0,
            "EUR",
            True,
            paid,
            "web.purchase",
            False,
        ),
        ("bob", "checkout", "web", march["04 09:30"], paid, None, 50.0, "EUR", False, None, None, False),
        # Left in silence on a device, and made good in the shop under a name.
        ("cid", "cart", "web", device, device, None, 80.0, "USD", True, shop, "in_store.purchase", False),
        ("cid", "checkout", "web", at("2026-03-05 18:00"), shop, None, 75.0, "USD", False, None, None, False),
        # From app to web; the last said of it is its worth in the app.
        ("gus", "checkout", "web", *left_for_good, None, 200.0, "EUR", True, None, None, True),
    ]


async def test_calls_and_chats_that_were_given_up_are_made_good_by_the_next_contact(found: World) -> None:
    rows = await found.ask(
        "SELECT person_id, kind, channel, ended_at, recovered_at, recovered_by, lost FROM attempts"
        " WHERE kind IN ('call', 'chat') AND abandoned ORDER BY person_id"
    )
    assert rows == [
        ("dan", "call", "phone", at("2026-03-05 10:00"), None, None, True),
        # The menu of the telephone, a minute before, helped nobody.
        ("gus", "chat", "live_chat", at("2026-03-04 14:08"), at("2026-03-05 09:02"), "phone.inbound_call", False),
    ]


async def test_abandonment_adds_the_attempts_up(found: World) -> None:
    rows = await found.ask("SELECT * FROM abandonment")
    back = (45 * HOUR + 30 * MINUTE, 46 * HOUR + 50 * MINUTE)  # bob, cid
    carts = {"EUR": 50.0, "USD": 80.0}
    assert rows == [
        # ann, bob and gus twice were served on the telephone; dan was not
        ("call", "phone", 5, 4, 1, 0.2, 0, 1, 0, 0.0, None, {}, {}, {}, 0),
        ("cart", "web", 2, 2, 2, 1.0, 2, 0, 0, 1.0, sum(back) / 2, carts, carts, {}, 0),
        ("chat", "live_chat", 2, 2, 1, 0.5, 1, 0, 0, 1.0, 18.9 * HOUR, {}, {}, {}, 0),
        ("checkout", "web", 4, 4, 1, 0.25, 0, 1, 0, 0.0, None, {"EUR": 200.0}, {}, {"EUR": 200.0}, 0),
    ]


async def test_onboarding_says_who_is_stuck_where_and_how_it_compares(found: World) -> None:
    rows = await found.ask(
        "SELECT person_id, state, started_at, steps_done, usual_steps, next_step, failures, progress_at, activated_at,"
        " left_at, usual_ms, quicker_share FROM onboarding"
    )
    usual, half = ["profile", "connect"], 3.0 * DAY  # between fay's two days and eve's four
    start, profile, never = at("2026-03-01 08:00"), at("2026-03-01 09:00"), (None, None)
    eve = at("2026-03-05 08:00")
    fay, left = at("2026-03-12 08:00"), at("2026-04-02 10:05")
    assert rows == [
        ("dan", "stuck", start, ["profile"], usual, "connect", 2, profile, *never, half, 1.0),
        ("eve", "activated", start, usual, usual, None, 0, eve, eve, None, half, 1.0),
        ("fay", "activated", at("2026-03-10 08:00"), usual, usual, None, 0, fay, fay, left, half, 0.5),
    ]
    took = await found.ask("SELECT person_id, took_ms FROM onboarding WHERE state = 'activated'")
    assert took == [("eve", 4 * DAY), ("fay", 2 * DAY)]


async def test_support_cases_tie_together_what_is_about_one_thing(found: World) -> None:
    rows = await found.ask(
        "SELECT person_id, reference, opened_at, ended_at, channels, contacts, hops, result, resolved_at, escalated,"
        " repeated, first_contact_resolution, wait_ms FROM support_cases ORDER BY person_id, opened_at"
    )
    bob, chat = (at("2026-03-10 09:00"), at("2026-03-13 09:00")), (at("2026-03-04 14:00"), at("2026-03-04 14:08"))
    calls, question = (at("2026-03-05 09:02"), at("2026-03-09 09:00")), (at("2026-03-23 08:00"), at("2026-03-24 08:00"))
    ann, cid, dan, eve = (at(f"2026-03-{then}:00") for then in ("06 10", "08 10", "05 10", "02 09"))
    everywhere = ["phone", "live_chat", "helpdesk"]
    assert rows == [
        ("ann", "T-1", ann, ann, ["phone"], 1, 0, "resolved", ann, False, False, True, 30_000),
        # A call, a chat, a ticket; being passed up is no contact of his. The ticket kept him waiting longest.
        ("bob", "T-2", *bob, everywhere, 3, 2, "escalated", None, True, True, False, 6 * HOUR),
        ("cid", None, cid, cid, ["in_store"], 1, 0, "resolved", cid, False, False, True, 2 * MINUTE),
        ("dan", None, dan, dan, ["phone"], 1, 0, "abandoned", None, False, False, False, 5 * MINUTE),
        ("eve", None, eve, eve, ["self_service"], 1, 0, "resolved", eve, False, False, True, None),
        # Nothing ties gus's three contacts together, but each came within 7 days of the one before.
        ("gus", None, *chat, ["live_chat"], 1, 0, "abandoned", None, False, True, False, 8 * MINUTE),
        ("gus", None, calls[0], calls[0], ["phone"], 1, 0, "resolved", calls[0], False, True, False, 2 * MINUTE),
        ("gus", None, calls[1], calls[1], ["phone"], 1, 0, "resolved", calls[1], False, False, True, MINUTE),
        # Taking the answer is no second contact.
        ("hal", "Q-1", *question, ["community"], 1, 0, "resolved", question[1], False, False, True, None),
    ]


async def test_support_quality_adds_the_cases_up_by_the_channel_they_began_in(found: World) -> None:
    rows = await found.ask("SELECT * FROM support_quality")
    none = (0, None, None)
    assert rows == [
        # Cases of ann, bob, dan and twice of gus, with 7 contacts. Waits: 30, 60, 120, 300 and 600 seconds, and their
        # 95th percentile lies at 300 + 0.8 * 300. Resolved: ann and gus at once, gus's first call not for good.
        ("phone", 5, 4, 1.4, 5, 120_000.0, 540_000.0, 3, 2, 0.6, 0.0, 2, 0.4, 2, 0.4, 1, 0.2, 1, 0.2),
        ("community", 1, 1, 1.0, *none, 1, 0, 1.0, float(DAY), 1, 1.0, 0, 0.0, 0, 0.0, 0, 0.0),
        ("in_store", 1, 1, 1.0, 1, 120_000.0, 120_000.0, 1, 0, 1.0, 0.0, 1, 1.0, 0, 0.0, 0, 0.0, 0, 0.0),
        # Waits of 60 and 480 seconds: 60 + 0.95 * 420
        ("live_chat", 1, 1, 1.0, 2, 270_000.0, 459_000.0, 0, 1, 0.0, None, 0, 0.0, 1, 1.0, 0, 0.0, 0, 0.0),
        ("self_service", 1, 1, 1.0, *none, 1, 0, 1.0, 0.0, 1, 1.0, 0, 0.0, 0, 0.0, 0, 0.0),
        # bob waited here, but his case began on the telephone
        ("helpdesk", 0, 0, None, 1, 6.0 * HOUR, 6.0 * HOUR, 0, 0, None, None, 0, None, 0, None, 0, None, 0, None),
    ]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_does_not_depend_on_how_joins_fill_in(found: World, view: str) -> None:
    rows = f"SELECT * FROM {view}" if view != "onboarding" else "SELECT * EXCEPT (took_ms) FROM onboarding"
    filled = await found.client.query(f"{rows} SETTINGS join_use_nulls = 0")
    nulls = await found.client.query(f"{rows} SETTINGS join_use_nulls = 1")
    assert filled and sorted(map(repr, filled)) == sorted(map(repr, nulls))


async def test_what_is_not_over_yet_is_open_and_what_is_under_way_is_not_there(server: tuple[str, str]) -> None:
    records = [
        touch("jim", _ago(hours=2), "web.cart_add", **cart("10.00", "EUR")),  # may still buy
        touch("kay", _ago(hours=30), "web.cart_add", **cart("20.00", "EUR")),  # silent for more than a day
        touch("liz", _ago(days=9), "web.cart_abandon", **cart("30.00", "EUR")),  # and nobody knows what came before it
        touch("max", _ago(days=9, hours=1), "web.checkout_start"),
        touch("max", _ago(days=9), "web.purchase", outcome="failed", value=40.0, **EUR),
        touch("max", _ago(days=1), "web.purchase", outcome="converted", value=40.0, **EUR),  # eight days: too late
        touch("ned", _ago(days=3), "subscription.trial_start"),
        touch("ned", _ago(days=2), "subscription.onboarding_step", **step("profile")),
        touch("ona", _ago(days=3), "subscription.trial_start"),
        touch("ona", _ago(days=2), "subscription.cancelled"),
    ]
    async with world(server, "under_way", in_order(records)) as found:
        rows = await found.ask("SELECT kind, attempts, abandoned, recovered, lost, open, values_lost FROM abandonment")
        assert rows == [("cart", 2, 2, 0, 1, 1, {"EUR": 30.0}), ("checkout", 1, 1, 0, 1, 0, {"EUR": 40.0})]
        persons = await found.ask("SELECT DISTINCT person_id FROM attempts ORDER BY person_id")
        assert persons == [("kay",), ("liz",), ("max",)]
        states = await found.ask("SELECT person_id, state, usual_steps, next_step, usual_ms FROM onboarding")
        assert states == [("ned", "under_way", [], None, None), ("ona", "left", [], None, None)]


async def test_who_comes_back_after_leaving_begins_anew(server: tuple[str, str]) -> None:
    records = [
        touch("pam", "2026-01-01 08:00", "subscription.trial_start"),
        touch("pam", "2026-01-02 08:00", "subscription.activated", outcome="failed"),
        touch("pam", "2026-01-03 08:00", "subscription.activated", outcome="converted"),
        touch("pam", "2026-02-01 08:00", "subscription.cancelled"),
        touch("pam", "2026-03-01 08:00", "subscription.trial_start"),
        touch("pam", "2026-03-01 09:00", "subscription.onboarding_step", **step("profile", "failed")),
        touch("pam", "2026-03-01 10:00", "subscription.onboarding_step", **step("profile")),
    ]
    async with world(server, "back_again", in_order(records)) as found:
        rows = await found.ask("SELECT state, started_at, steps_done, next_step, failures, progress_at FROM onboarding")
        assert rows == [("stuck", at("2026-03-01 08:00"), ["profile"], None, 1, at("2026-03-01 10:00"))]


async def test_a_reference_keeps_apart_what_is_about_different_things(server: tuple[str, str]) -> None:
    records = [
        touch("quy", "2026-03-01 09:00", "phone.inquiry", outcome="resolved", reference="A"),
        touch("quy", "2026-03-02 09:00", "phone.inquiry", outcome="resolved", reference="B"),
        touch("quy", "2026-03-10 09:00", "phone.inquiry", outcome="resolved", reference="A"),  # nine days later
        touch("quy", "2026-03-11 09:00", "self_service.faq_view"),  # looking something up is not asking again
        touch("quy", "2026-03-20 09:00", "phone.outbound_call"),  # nobody asked for that
    ]
    async with world(server, "two_things", in_order(records)) as found:
        rows = await found.ask("SELECT reference, contacts, result, repeated FROM support_cases ORDER BY opened_at")
        assert rows == [("A", 2, "resolved", False), ("B", 1, "resolved", False), (None, 1, "unknown", False)]


def _ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).replace(tzinfo=None).isoformat(" ", "milliseconds")
