"""What in a mapping's expressions would be silently wrong, and amounts that go the other way."""

import pytest

from pipeline.channels.errors import MappingError
from pipeline.channels.expressions import FAILURES, Expression
from pipeline.channels.functions import Functions


def result(text, value):
    return Expression(text, Functions()).get(value)


@pytest.mark.parametrize("text", ["!a.b", "a && !b.c", "!a[0].b", "!a[?b].c | [0]", "items[?!a.b]", "id('x', !a.b)"])
def test_a_negation_that_reaches_half_a_path_is_refused(text):
    with pytest.raises(MappingError, match=r"write !\(a.b\)"):
        Expression(text, Functions())


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("!(a.b)", {"a": {"b": "x"}}, False),
        ("!(a.b)", {"a": {}}, True),
        ("c && !a", {"c": 1}, True),
        ("!(a[?b=='x'])", {"a": [{"b": "y"}]}, True),
    ],
)
def test_a_whole_path_is_negated_in_brackets(text, value, wanted):
    assert result(text, value) is wanted


@pytest.mark.parametrize(("amount", "wanted"), [("5.00", -5.0), (5, -5.0), (0, 0.0), (None, None)])
def test_an_amount_that_was_paid_back(amount, wanted):
    found = result("negative(a)", {"a": amount})
    assert found == wanted
    assert str(found) != "-0.0"


@pytest.mark.parametrize("amount", ["five", True, [5]])
def test_what_is_no_amount_has_no_other_way_round(amount):
    with pytest.raises(FAILURES, match="is not an amount"):
        result("negative(a)", {"a": amount})
