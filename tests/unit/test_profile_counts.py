"""What may explain that a profile and what has landed differ, by example and over many numbers."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.profile_counts import EXAMPLES, Count, Tally, Verdict, judge

PLAIN = Count("ada", 100, 7, 0, False, 7, 0, 0, 0, 0, 0, False)
few = st.integers(0, 9)


def test_nothing_explains_one_too_few() -> None:
    assert judge(replace(PLAIN, counted=6), crowded=True) is Verdict.DIFFERS
    assert judge(replace(PLAIN, counted=8), crowded=False) is Verdict.DIFFERS


def test_a_loss_explains_that_states_began_anew_but_not_what_is_passed_over_since() -> None:
    lost = replace(PLAIN, before=5, certain=2, after_loss=True)
    assert judge(replace(lost, counted=2), crowded=False) is Verdict.LOSS
    assert judge(replace(lost, counted=9), crowded=False) is Verdict.LOSS
    assert judge(replace(lost, counted=1), crowded=False) is Verdict.DIFFERS


def test_an_import_explains_as_much_as_it_brought() -> None:
    withdrawn = replace(PLAIN, withdrawn=3)
    assert judge(replace(withdrawn, counted=10), crowded=False) is Verdict.IMPORT
    assert judge(replace(withdrawn, counted=11), crowded=False) is Verdict.DIFFERS
    restored = replace(PLAIN, certain=4, restored=3, restored_imports=1)
    assert judge(replace(restored, counted=4), crowded=False) is Verdict.IMPORT
    assert judge(replace(restored, counted=3), crowded=False) is Verdict.DIFFERS
    assert judge(replace(restored, counted=6), crowded=False) is Verdict.DIFFERS  # one of three is no import
    assert judge(replace(restored, counted=6, restored_imports=2), crowded=False) is Verdict.IMPORT


def test_a_crowded_hour_explains_duplicates_and_nothing_else() -> None:
    assert judge(replace(PLAIN, counted=9), crowded=True) is Verdict.CROWDED


@given(
    st.builds(Count, st.just("ada"), few, few, few, st.just(False), few, few, few, few, few, few, st.booleans()),
    st.booleans(),
)
def test_what_must_be_counted_and_is_not_is_never_explained(count: Count, crowded: bool) -> None:
    if count.counted < count.certain:
        assert judge(count, crowded) is Verdict.DIFFERS


def test_the_notes_name_a_few_and_the_command_for_a_shell() -> None:
    tally = Tally()
    for number in range(EXAMPLES + 2):
        tally.add(Verdict.DIFFERS, replace(PLAIN, customer_id=f"it's {number}", counted=6))
    tally.unsettled = 4
    first, second = tally.notes
    assert tally.differing == EXAMPLES + 2
    assert "it's 0 (counts 6 of 7)" in first and "and 2 more" in first
    assert "--customer 'it'\"'\"'s 0'" in first
    assert "4 customers changed too fast" in second
