"""Renders the templates. Whatever stands in them as a value is escaped: none is ever marked as safe."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from pipeline.console import assets, words
from pipeline.model import VERSION


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("pipeline.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for each in (words.number, words.moment, words.day, words.clock, words.words, words.mood):
        made.filters[each.__name__] = each
    made.filters |= {"money": words.money, "facts": words.facts}
    made.globals |= {"asset": assets.address, "version": VERSION}
    return made


_TEMPLATES = _environment()


def page(template: str, code: int = 200, /, **values: Any) -> HTMLResponse:
    """A page of templates/; every name that the template uses must be given."""
    return HTMLResponse(_TEMPLATES.get_template(f"{template}.html").render(values), code)
