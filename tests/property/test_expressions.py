"""A compiled expression gives what the library's interpreter gives, on any value."""

from __future__ import annotations

import jmespath
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels.expressions import FAILURES, Expression
from pipeline.channels.functions import Functions

FUNCTIONS = Functions()
NAMES = st.sampled_from(["a", "b", "c", '"x-y"'])
LITERALS = st.sampled_from(["'a'", "'1'", "`1`", "`true`", "`false`", "`null`", "`[]`", "`{}`", "`0`"])
EXPRESSIONS = st.recursive(
    NAMES | LITERALS | st.just("@"),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, NAMES, NAMES),
        st.builds("{}.{}.{}".format, NAMES, NAMES, NAMES),
        st.builds("{}[{}]".format, NAMES, st.integers(-2, 2)),
        st.builds("{}[{}].{}".format, NAMES, st.integers(-2, 2), NAMES),
        st.builds("{}[].{}".format, NAMES, NAMES),
        st.builds("{}[*].{}".format, NAMES, NAMES),
        st.builds("{}[?{} == {}].{}".format, NAMES, NAMES, LITERALS, NAMES),
        st.builds("({} || {})".format, inner, inner),
        st.builds("({} && {})".format, inner, inner),
        st.builds("!{}".format, NAMES),
        st.builds("({} == {})".format, inner, inner),
        st.builds("({} != {})".format, inner, inner),
        st.builds("({} > {})".format, inner, inner),
        st.builds("({} | {})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{p: {}, q: {}}}".format, inner, inner),
        st.builds("to_string({})".format, inner),
        st.builds("length({})".format, inner),
        st.builds("not_null({}, {})".format, inner, inner),
        st.builds("join('-', {})".format, inner),
        st.builds("sort_by({}, &{})".format, NAMES, NAMES),
        st.builds("id({}, {})".format, inner, inner),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "x-y"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(text=EXPRESSIONS, value=VALUES)
def test_equals_the_interpreter(text: str, value: object) -> None:
    wanted = _outcome(lambda: jmespath.search(text, value, jmespath.Options(custom_functions=FUNCTIONS)))
    assert _outcome(lambda: Expression(text, FUNCTIONS).get(value)) == wanted


def _outcome(work):  # type: ignore[no-untyped-def]
    try:
        return repr(work())
    except FAILURES as error:
        return type(error).__name__
