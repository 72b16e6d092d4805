"""The report's page: complete, and safe whatever its rows say."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from plotly import graph_objects

from pipeline.report.asking import Answers
from pipeline.report.page import render
from pipeline.report.palette import DARK, LIGHT, Palette
from pipeline.report.plotly_script import plotly_script
from pipeline.report.sections import sections
from tests.unit.html_page import Element, parse, table_of
from tests.unit.report_samples import EMPTY, HOSTILE, MADE_AT, answers, without

PLOTLY = 'window.Plotly = "</script><!--";\r\nnext();'
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "script", "a", "header", "nav", "main", "section", "footer"),
    *("h1", "h2", "p", "div", "span", "time", "ul", "li", "dl", "dt", "dd", "figure", "figcaption"),
    *("details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}


def page_of(found: Answers) -> Element:
    return parse(render(found, MADE_AT, "1.2.3", PLOTLY))


def every(element: Element) -> Iterator[Element]:
    yield element
    for child in element.children:
        yield from every(child)


def test_nothing_from_outside_becomes_markup() -> None:
    page = page_of(answers())
    assert {each.tag for each in every(page)} - {""} == TAGS
    assert not [name for each in every(page) for name in each.attributes if name.startswith("on")]
    running = [each for each in page.all("script") if "type" not in each.attributes]
    assert len(running) == 2
    assert "alert" not in "".join(each.text for each in running)


def test_what_came_from_outside_is_shown_as_it_is() -> None:
    [row] = table_of(page_of(answers()), "customers_at_risk")
    assert row["customer_id"] == HOSTILE
    assert json.loads(row["values"]) == {HOSTILE: 1234.5}
    assert json.loads(row["reasons"]) == [{"code": "unresolved", "points": 12.5, "text": HOSTILE}]
    shown = page_of(answers()).all("section", id="customers_at_risk")[0].text
    assert shown.count(HOSTILE) >= 3


def test_labels_of_charts_hold_no_tags() -> None:
    for block in page_of(answers()).all("script", type="application/json"):
        assert not set("<>&\u2028") & set(block.text)
        assert "<script" not in json.dumps(json.loads(block.text))


def test_the_policy_names_each_script_that_runs_and_no_other() -> None:
    page = page_of(answers())
    [policy] = page.all("meta", http_equiv="Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.attributes["content"].split("; "))
    digests = [
        sha256(each.text.encode()).digest() for each in page.all("script") if each.attributes.get("type", "") == ""
    ]
    assert rules["script-src"] == " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules


def test_a_script_cannot_end_its_element_early() -> None:
    [script, _] = [each for each in page_of(answers()).all("script") if "type" not in each.attributes]
    assert script.text == 'window.Plotly = "<\\/script><\\!--";\nnext();'


def test_plotlys_own_script_survives() -> None:
    source = plotly_script()
    page = parse(render(answers(), MADE_AT, "1.2.3", source))
    [script, _] = [each for each in page.all("script") if "type" not in each.attributes]
    assert len(script.text) > 1_000_000


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_every_chart_is_one_that_plotly_knows(palette: Palette) -> None:
    charts = [chart for section in sections(answers()) for chart in section.charts]
    assert len(charts) >= 8
    for chart in charts:
        drawn = chart.draw(palette)
        known = graph_objects.Figure(drawn).to_plotly_json()
        assert len(known["data"]) == len(drawn["data"]) > 0


def test_every_section_has_its_figures_as_a_table_and_its_charts_as_words() -> None:
    page = page_of(answers())
    found = sections(answers())
    for section in found:
        assert len(table_of(page, section.id)) == 1
        [shown] = page.all("section", id=section.id)
        assert section.finding in shown.text
        for chart in section.charts:
            [place] = shown.all("div", id=chart.id)
            assert place.attributes["role"] == "img"
            assert chart.title in place.attributes["aria-label"]
    assert [each.attributes["href"] for each in page.all("nav")[0].all("a")] == [f"#{each.id}" for each in found]
    ids = [each.attributes["id"] for each in every(page) if "id" in each.attributes]
    assert len(ids) == len(set(ids))


def test_numbers_are_there_exactly() -> None:
    [row] = table_of(page_of(answers("web")), "journey_map")
    assert float(row["share_of_customers"]) == 0.75
    assert row["wait_ms_avg"] == "90000.0"
    assert [each.attributes["data-value"] for each in page_of(answers()).all("dd", class_="number")] == []
    numbers = [each for each in page_of(answers()).all("dd") if each.attributes["class"] == "number"]
    assert [each.attributes["data-value"] for each in numbers] == ["1", "2", "9", "2", "11", "1"]


def test_an_empty_installation_gets_a_page_that_says_so() -> None:
    page = page_of(EMPTY)
    assert "Nothing has landed yet" in page.text
    assert page.all("script") == []
    assert "script-src 'none'" in page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("at_risk",), "Nobody is at risk."),
        (("handoffs",), "No journey has changed its channel yet."),
        (("feelings", "moments"), "No mood has been recorded yet."),
        (("voice",), "No survey has been answered yet."),
    ],
)
def test_a_view_without_rows_is_said_in_words(names: tuple[str, ...], said: str) -> None:
    assert said in page_of(without(*names)).text


def test_a_cut_list_says_so() -> None:
    text: Any = page_of(answers()).text
    assert "The 1 most urgent of 15" in text
    assert "The 1 most frequent of 3 pairs" in text
