"""A report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.embedding import data_block, policy, script_block, style_block
from pipeline.report.palette import DARK, LIGHT, Palette
from pipeline.report.section import Section
from pipeline.report.sections import sections


class KeyNumber(NamedTuple):
    """A number at the head of the page: `exact` as the views give it, and what it is beside."""

    name: str
    exact: int
    written: str
    beside: str


def render(answers: Answers, made_at: datetime, version: str, plotly: str) -> str:
    """The page; `made_at` is UTC, `plotly` the source of plotly.js."""
    found = [] if answers.empty else sections(answers)
    scripts = [script_block(plotly), script_block(_file("report.js"))] if found else []
    return str(
        _template().render(
            answers=answers,
            key_numbers=key_numbers(answers),
            sections=found,
            figures=_figures(found),
            made_at=made_at,
            version=version,
            style=style_block(_style()),
            scripts=scripts,
            policy=policy(scripts),
            words=words,
        )
    )


def key_numbers(answers: Answers) -> Sequence[KeyNumber]:
    """The totals at the head of the page."""
    of = answers.numbers
    pressing = of["high"] + of["critical"]
    converted = words.share(of["converted"] / of["journeys"]) if of["journeys"] else words.NOTHING
    return tuple(
        KeyNumber(name, exact, words.count(exact), beside)
        for name, exact, beside in (
            ("Touchpoints", of["touchpoints"], f"{words.count(of['rejected'])} refused"),
            ("Customers", of["customers"], f"and {words.count(of['visitors'])} unknown visitors"),
            ("Journeys", of["journeys"], f"{words.count(of['visits'])} visits; {words.count(of['open'])} open"),
            ("Journeys that converted", of["converted"], f"{converted} of all"),
            ("At high or critical risk", pressing, f"{words.count(of['critical'])} critical"),
            ("Open alerts", of["alerts"], "raised, and not yet over"),
        )
    )


def _figures(found: Sequence[Section]) -> dict[str, Any]:
    """Every chart's figure in both themes, as data blocks by the chart's id."""
    charts = [chart for section in found for chart in section.charts]
    return {chart.id: data_block({"light": chart.draw(LIGHT), "dark": chart.draw(DARK)}) for chart in charts}


def _style() -> str:
    """The style sheet, with the colours of both themes."""
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}"
    return f":root {{ {_variables(LIGHT)} }}\n@media screen {{ {dark} }}\n{_file('report.css')}"


def _variables(palette: Palette) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in asdict(palette).items())


def _file(name: str) -> str:
    return (files("pipeline.report") / "templates" / name).read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pipeline.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
