"""The README's table of sources, made from the mappings: `python -m tests.channels.table` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tests.channels.known import sources

README = Path(__file__).parent.parent.parent / "README.md"
BEGIN = "<!-- sources: python -m tests.channels.table -->"
END = "<!-- end of sources -->"

ANY = {"any": {"any"}}
"""What a source may give whose events name channel and touchpoint themselves."""


def table() -> str:
    """Source, channel and touchpoints in Markdown, one line for each source and channel."""
    lines = ["| source | channel | touchpoints |", "|---|---|---|"]
    for source in sources().values():
        found: dict[str, set[str]] = {}
        for rule in source.rules:
            for channel, touchpoint in rule.touchpoints():
                found.setdefault(channel, set()).add(touchpoint)
        named = f"[{source.mapping.title}]({source.mapping.documentation}) `{source.name}`"
        for channel, touchpoints in sorted((found or ANY).items()):
            lines.append(f"| {named} | {channel} | {', '.join(sorted(touchpoints))} |")
            named = ""
    return "\n".join(lines)


def written() -> str:
    """The table as it stands in the README."""
    return README.read_text().partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
