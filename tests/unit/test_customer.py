"""One customer's fold by example: what is checked, what is published, what is taken back."""

import math
from uuid import UUID

import pytest

from pipeline.customer import Folded, Rules, Touch, fold, revision_of, touch_of
from pipeline.rows import journey_id, visit_id
from pipeline.settings import Settings
from pipeline.state import State
from schemas.codec import Decoder, Encoder
from tests.reference import CUSTOMER, DAY, HOUR, JOURNEY_GAP, MINUTE, START, VISIT_GAP, Record, touchpoint

RULES = Rules.of(Settings())


def touches(*records: Record, start: int = 0) -> list[Touch]:
    return [touch_of(start + place, record) for place, record in enumerate(records)]


def folded(*records: Record, state: State | None = None, start: int = 0, epoch: int = 1) -> Folded:
    result = fold(CUSTOMER, state, epoch, touches(*records, start=start), RULES)
    assert result is not None
    return result


def withdrawn(result: Folded) -> set[str]:
    return {row["journey_id"] for row in result.journeys if row["withdrawn"]}


def live(result: Folded) -> set[str]:
    return {row["journey_id"] for row in result.journeys if not row["withdrawn"]}


def journey(number: int) -> str:
    return journey_id(CUSTOMER.encode(), UUID(int=number).bytes)


def visit(number: int) -> str:
    return visit_id(CUSTOMER.encode(), UUID(int=number).bytes)


def test_the_rules_come_from_the_settings():
    assert (RULES.gaps.visit, RULES.gaps.journey, RULES.history) == (VISIT_GAP, JOURNEY_GAP, 90 * DAY)


def test_ids_are_uuids_of_version_5_that_differ_by_kind_customer_and_touchpoint():
    ids = {make(key, first) for make in (journey_id, visit_id) for key in (b"a", b"b") for first in (b"1", b"2")}
    assert len(ids) == 8
    assert all(UUID(text).version == 5 and str(UUID(text)) == text for text in ids)


def test_revisions_grow_with_the_log_and_then_with_the_epoch():
    positions = [(0, 0), (0, 1), (0, 2**38 - 1), (1, 0), (4_000_000, 2**38 - 1)]
    revisions = [revision_of(*position) for position in positions]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] < 2**63


def test_a_first_touchpoint_opens_a_journey_and_a_visit():
    result = folded(touchpoint(7, name="web.product_view", received_at=START))
    (row,) = result.journeys
    assert (row["journey_id"], row["visits"], row["touchpoints"]) == (journey(7), 1, 1)
    assert [shown["visit_id"] for shown in row["changed_visits"]] == [visit(7)]
    assert (result.customer["journeys"], result.customer["visits"], result.customer["inbound"]) == (1, 1, 1)
    assert [(change["previous_level"], change["level"]) for change in result.risk] == [(None, "low")]


def test_only_outbound_touchpoints_make_a_customer_without_journeys():
    result = folded(touchpoint(1, name="email.newsletter", direction="outbound"))
    assert result.journeys == []
    assert (result.customer["touchpoints"], result.customer["inbound"]) == (1, 0)
    assert result.customer["last_inbound_at"] is None


def test_an_outbound_touchpoint_does_not_bridge_a_silence():
    between = touchpoint(2, START + JOURNEY_GAP, "email.newsletter", direction="outbound")
    result = folded(touchpoint(1), between, touchpoint(3, START + JOURNEY_GAP + 1))
    assert live(result) == {journey(1), journey(3)}


def test_an_earlier_touchpoint_renames_the_journey_and_takes_the_old_name_back():
    before = folded(touchpoint(5, START + HOUR))
    after = folded(touchpoint(9, START), state=before.state, start=1)
    assert live(after) == {journey(9)}
    assert withdrawn(after) == {journey(5)}


def test_a_tie_in_time_goes_to_the_lower_event_id_and_renames_journey_and_visit():
    before = folded(touchpoint(5))
    after = folded(touchpoint(3), state=before.state, start=1)
    assert live(after) == {journey(3)}
    assert withdrawn(after) == {journey(5)}
    shown = {row["visit_id"]: row["withdrawn"] for row in after.journeys[0]["changed_visits"]}
    assert shown == {visit(3): False, visit(5): True}


def test_a_tie_at_the_beginning_moves_the_other_visits_to_the_renamed_journey():
    before = folded(touchpoint(5), touchpoint(6, START + 2 * HOUR))
    after = folded(touchpoint(3), state=before.state, start=2)
    shown = {row["visit_id"]: row["withdrawn"] for row in after.journeys[0]["changed_visits"]}
    assert shown == {visit(3): False, visit(6): False, visit(5): True}


def test_a_bridge_joins_two_journeys_and_withdraws_the_later():
    before = folded(touchpoint(1), touchpoint(2, START + 2 * JOURNEY_GAP))
    after = folded(touchpoint(3, START + JOURNEY_GAP), state=before.state, start=2)
    assert live(after) == {journey(1)}
    assert withdrawn(after) == {journey(2)}
    assert after.customer["journeys"] == 1
    moved = {row["visit_id"] for row in after.journeys[0]["changed_visits"] if not row["withdrawn"]}
    assert moved == {visit(1), visit(2), visit(3)}


def test_the_same_id_counts_once_and_the_first_in_the_log_wins():
    result = folded(touchpoint(1, value=5.0, currency="EUR"), touchpoint(1, START + DAY, value=7.0, currency="EUR"))
    assert result.customer["values"] == {"EUR": 5.0}
    assert result.customer["revision"] == revision_of(1, 0)


def test_nothing_new_is_nothing_to_publish():
    state = folded(touchpoint(1), touchpoint(2)).state
    assert fold(CUSTOMER, state, 1, touches(touchpoint(1), touchpoint(2)), RULES) is None
    assert fold(CUSTOMER, state, 1, touches(touchpoint(1), start=50), RULES) is None
    assert fold(CUSTOMER, state, 2, [], RULES) is None


def test_a_new_epoch_starts_counting_offsets_again():
    state = folded(touchpoint(1), start=1_000).state
    assert fold(CUSTOMER, state, 1, touches(touchpoint(2), start=10), RULES) is None
    result = folded(touchpoint(2), state=state, start=10, epoch=2)
    assert result.customer["revision"] == revision_of(2, 10)


def test_several_currencies_have_sums_but_no_single_value_and_are_sorted():
    result = folded(
        touchpoint(1, value=5.5, currency="USD"),
        touchpoint(2, START + 1, value=-0.25, currency="CHF"),
        touchpoint(3, START + 2, value=1.0),
    )
    (row,) = result.journeys
    assert (row["value"], row["currency"]) == (None, None)
    assert list(row["values"].items()) == [("", 1.0), ("CHF", -0.25), ("USD", 5.5)]
    assert list(result.customer["values"]) == ["", "CHF", "USD"]


def test_what_failed_was_not_paid_in_journey_and_profile():
    result = folded(touchpoint(1, value=5.0, currency="EUR", outcome="failed"))
    assert result.journeys[0]["values"] == result.customer["values"] == {}


def test_money_beyond_all_measure_still_leaves_a_state_that_can_be_written():
    records = [touchpoint(n, START + n, value=1e12, currency="IRR") for n in range(2_000)]
    result = folded(*records)
    assert result.customer["values"]["IRR"] == pytest.approx(2**63 / 10_000)


def test_a_change_of_level_is_published_with_the_touchpoint_that_made_it():
    complaint = touchpoint(3, START + DAY, "phone.complaint", received_at=START + DAY, import_id="import-1")
    calm = touchpoint(2, START + 1, received_at=START + 1)
    result = folded(touchpoint(1, received_at=START), calm, complaint)
    last = result.risk[-1]
    assert (last["previous_level"], last["level"], last["event_id"]) == ("low", "medium", complaint["event_id"])
    assert (last["as_of"], last["imported"], last["revision"]) == (START + DAY, True, revision_of(1, 2))
    assert len(result.risk) == 2


def test_a_risk_that_becomes_lasting_is_published_again_and_once():
    def happens(number: int, moment: int, name: str = "web.page_view", **more: str) -> Record:
        return touchpoint(number, moment, name, received_at=moment, **more)

    old = happens(1, START, "phone.inbound_call", outcome="unresolved")
    calm, moment = happens(2, START + 35 * DAY), START + 35 * DAY + 1
    first = folded(old, calm, happens(3, moment, "phone.inbound_call", outcome="unresolved"))
    assert [(row["level"], row["lasting"]) for row in first.risk[-1:]] == [("high", False)]
    second = folded(happens(4, moment + HOUR, "phone.complaint"), state=first.state, start=3)
    assert [(row["previous_level"], row["level"], row["lasting"]) for row in second.risk] == [("high", "high", True)]
    assert folded(happens(5, moment + 2 * HOUR), state=second.state, start=4).risk == []


def test_every_row_fits_its_contract_and_loses_no_field():
    before = folded(touchpoint(5, START + HOUR, value=2.0, currency="EUR", sentiment=0.5))
    after = folded(touchpoint(9, name="subscription.cancelled", outcome="escalated"), state=before.state, start=1)
    for subject, rows in (("journeys", after.journeys), ("customers", [after.customer]), ("risk", after.risk)):
        encode, decode = Encoder(subject), Decoder(subject)
        assert rows
        for row in rows:
            assert decode(encode(row)).items() >= row.items()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"occurred_at": -1}, "occurred_at"),
        ({"occurred_at": START + DAY + 1, "received_at": START}, "occurred_at"),
        ({"event_id": "7"}, "event_id"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "z" * 32}, "event_id"),
        ({"event_id": "00 " * 16}, "event_id"),
        ({"event_id": "0" * 34}, "event_id"),
        ({"value": math.nan}, "value"),
        ({"value": math.inf}, "value"),
        ({"value": -1.1e12}, "value"),
        ({"sentiment": math.nan}, "sentiment"),
        ({"sentiment": 1.01}, "sentiment"),
        ({"sentiment": -math.inf}, "sentiment"),
        ({"rating_metric": "nps"}, "rating"),
        ({"rating_metric": "nps", "rating_score": 11.0}, "rating"),
        ({"rating_metric": "nps", "rating_score": math.nan}, "rating"),
        ({"rating_metric": "stars", "rating_score": 1.0}, "rating"),
    ],
)
def test_what_would_harm_a_fold_is_refused_by_name(wrong: Record, named: str):
    with pytest.raises(ValueError, match=named):
        touch_of(0, touchpoint(1) | wrong)


@pytest.mark.parametrize(
    "allowed",
    [
        {"occurred_at": 0},
        {"occurred_at": START + DAY, "received_at": START},
        {"event_id": "0B1C2D3E-0000-4000-8000-AABBCCDDEEFF"},
        {"value": -1e12, "sentiment": -1.0, "rating_metric": "ces", "rating_score": 7.0},
        {"rating_metric": None, "rating_score": 4.0},
        {"touchpoint": "x_own", "outcome": "completed"},
    ],
)
def test_what_a_fold_can_take_passes(allowed: Record):
    folded(touchpoint(1) | allowed)


def test_ties_are_ordered_as_the_text_of_the_ids_is_whatever_its_case():
    low, high = "0a000000-0000-4000-8000-000000000000", "0B000000-0000-4000-8000-000000000000"
    steps = [touch_of(0, touchpoint(1) | {"event_id": text}).step for text in (low, high)]
    assert steps == sorted(steps)


def test_a_visit_that_was_withdrawn_in_one_chunk_is_not_shown_in_the_same():
    minutes = (0, 50, 25)
    result = folded(*(touchpoint(9 - place, START + m * MINUTE) for place, m in enumerate(minutes)))
    shown = [(row["visit_id"], row["withdrawn"]) for row in result.journeys[0]["changed_visits"]]
    assert shown == [(visit(9), False), (visit(8), True)]


def test_what_is_taken_back_is_published_once():
    before = folded(touchpoint(1), touchpoint(5, START + 20 * DAY + HOUR))
    after = folded(touchpoint(2, START + 1), touchpoint(3, START + 20 * DAY), state=before.state, start=2)
    taken_back = [
        row["visit_id"] for journey in after.journeys for row in journey["changed_visits"] if row["withdrawn"]
    ]
    assert taken_back == []
    again = folded(touchpoint(4, START + 20 * DAY + 31 * MINUTE), touchpoint(6, START + 2), state=after.state, start=4)
    rows = [row for journey in again.journeys for row in journey["changed_visits"] if row["withdrawn"]]
    assert [row["visit_id"] for row in rows] == [visit(5)]
