"""A page as its elements, read by the standard library's parser rather than by what wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "link", "input"}


@dataclass
class Element:
    """An element, what it says and what it holds."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that it says, its descendants' words behind its own."""
        return "".join([*self.texts, *(child.text for child in self.children)])

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of this tag in it, at any depth, that have these attributes (data_x stands for data-x)."""
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        found = [self] if self.tag == tag and wanted.items() <= self.attributes.items() else []
        return found + [each for child in self.children for each in child.all(tag, **attributes)]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends a {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].texts.append(data)


def parse(page: str) -> Element:
    """The page; every element must end, in the order in which it began."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    [root] = builder.open
    return root


def table_of(page: Element, section: str) -> list[dict[str, str]]:
    """The rows of a section's table: the exact value of each cell, by the view's name of its column."""
    [found] = page.all("section", id=section)
    fields = [head.attributes["data-field"] for head in found.all("th", scope="col")]
    rows = [row.children for row in found.all("tbody")[0].children]
    return [dict(zip(fields, (cell.attributes["data-value"] for cell in row), strict=True)) for row in rows]
