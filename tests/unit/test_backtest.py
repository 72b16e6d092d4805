"""The examination of the past: who takes part, who left, and that nothing of afterwards has a say."""

from uuid import UUID

import pytest

from pipeline.backtest import Example, Leaving, Touches, Window, example, report
from pipeline.customer import Rules
from pipeline.risk_model import default_model
from pipeline.scoring import profile_of
from pipeline.settings import Settings
from tests.reference import DAY, START, touchpoint

RULES = Rules.of(Settings())
CUTOFF = START + 100 * DAY
WINDOW = Window(CUTOFF, CUTOFF + 60 * DAY)


def touches(*what: tuple[int, str], **fields: object) -> Touches:
    records = [touchpoint(number, START + day * DAY, name, **fields) for number, (day, name) in enumerate(what)]
    return [
        ((record["occurred_at"], UUID(record["event_id"]).bytes, f"{record['channel']}.{record['touchpoint']}"), record)
        for record in records
    ]


def judged(*what: tuple[int, str], leaving: Leaving = Leaving.SILENCE) -> Example | None:
    return example("ann", touches(*what), WINDOW._replace(leaving=leaving), RULES, profile_of)


def left(*what: tuple[int, str], leaving: Leaving = Leaving.SILENCE) -> bool:
    found = judged(*what, leaving=leaving)
    assert found is not None
    return found.left


VISIT, PURCHASE, GOODBYE = "web.page_view", "web.purchase", "subscription.cancelled"


@pytest.mark.parametrize(
    ("later", "leaving", "gone"),
    [
        ([], Leaving.SILENCE, True),
        ([(101, VISIT)], Leaving.SILENCE, False),
        ([(161, VISIT)], Leaving.SILENCE, True),
        ([(101, VISIT)], Leaving.PURCHASE, True),
        ([(101, PURCHASE)], Leaving.PURCHASE, False),
        ([], Leaving.GOODBYE, False),
        ([(101, VISIT), (110, GOODBYE)], Leaving.GOODBYE, True),
        ([(101, VISIT), (110, GOODBYE)], Leaving.SILENCE, True),
        ([(110, GOODBYE), (111, "subscription.renewal")], Leaving.GOODBYE, False),
        ([(110, GOODBYE), (170, "subscription.renewal")], Leaving.GOODBYE, True),
    ],
)
def test_what_counts_as_leaving(later, leaving, gone):
    assert left((0, VISIT), (90, VISIT), *later, leaving=leaving) is gone


def test_who_was_not_there_or_had_left_takes_no_part():
    assert judged((101, VISIT)) is None
    assert judged((0, VISIT), (50, GOODBYE), (101, VISIT)) is None


def test_nothing_of_afterwards_is_in_the_profile():
    known = ((0, VISIT), (90, PURCHASE))
    alone, followed = judged(*known), judged(*known, (101, PURCHASE), (120, "phone.complaint"))
    assert alone is not None
    assert followed is not None
    assert alone.profile == followed.profile


def test_the_lead_is_the_time_at_high_before_the_last_word():
    angry = touches((0, VISIT), (80, "subscription.cancel_request"), (85, "web.cancel_page"), (90, VISIT))
    found = example("ann", angry, WINDOW, RULES, profile_of)
    assert found is not None
    assert found.lead_days == pytest.approx(10.0)
    calm = judged((0, VISIT), (90, VISIT))
    assert calm is not None
    assert (calm.left, calm.lead_days) == (True, None)


def test_the_report_has_every_measure_beside_its_baselines():
    examples = [
        example(
            f"c{day}", touches((0, VISIT), (day, VISIT), *((day, VISIT) for day in later)), WINDOW, RULES, profile_of
        )
        for day, later in ((99, (110,)), (95, (120,)), (30, ()), (10, ()))
    ]
    found = report([each for each in examples if each], WINDOW, default_model())
    assert (found["customers"], found["left"], found["roc_auc"]) == (4, 2, 1.0)
    assert set(found["baselines"]) == {"recency", "frequency", "complaints", "silence_model"}
    assert found["baselines"]["recency"]["roc_auc"] == 1.0
    assert [level["level"] for level in found["levels"]] == ["medium", "high", "critical"]
    assert report([], WINDOW, default_model())["roc_auc"] is None
