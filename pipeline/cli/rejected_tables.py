"""Dead letters as tables and lines for people. Whatever was sent to us is shown with its control characters escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import tell
from pipeline.cli.times import text_of
from pipeline.letters import Envelope, Letter
from pipeline.originals import Original, printable
from pipeline.replay import ReplayResult
from sinks.letters import Pattern

_TABLE_WIDTH = 160
_REASONS_SHOWN = 20
_ERRORS_SHOWN = 10
_TIMES = ("rejected_at", "replayed_at")


def show(total: int, patterns: Sequence[Pattern], letters: Sequence[Envelope]) -> None:
    """Print the counts by reason, and the letters below."""
    if not total:
        tell("no dead letters match")
        return
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    counts = Table("letters", "replayed", "code", "path", "source", "latest", box=None)
    for each in patterns:
        counts.add_row(
            str(each.letters), str(each.replayed), *_cells(each.code, each.path, each.source), text_of(each.latest)
        )
    console.print(f"{total} dead letters")
    console.print(counts)
    if left := total - sum(each.letters for each in patterns):
        console.print(f"and {left} letters of rarer patterns")
    table = Table("refused at", "id", "code", "path", "source", "where", "message", box=None)
    for column in table.columns[:2]:
        column.no_wrap = True
    for letter in letters:
        row = (letter.code, letter.path, letter.source, _where(letter), letter.message)
        table.add_row(text_of(letter.rejected_at), letter.dead_letter_id, *_cells(*row))
    console.print()
    console.print(table)


def show_letter(letter: Letter, came_in: Original) -> None:
    """Print every field of a letter, then what came in."""
    kind, text = came_in
    width = max(len(each.name) for each in fields(Envelope))
    lines = [f"{each.name:<{width}}  {_shown(each.name, getattr(letter, each.name))}" for each in fields(Envelope)]
    head = f"original ({kind}, {len(letter.original):,} of {letter.original_length:,} bytes)"
    Console().print("\n".join([*lines, "", head, text]), markup=False, highlight=False, soft_wrap=True)


def tell_refused(result: ReplayResult) -> None:
    """Tell on standard error why letters stay: by reason, and the first of them."""
    for reason in result.reasons[:_REASONS_SHOWN]:
        tell(printable(f"  {reason.letters} x {reason.code} {reason.path}".rstrip()))
    for error in result.errors[:_ERRORS_SHOWN]:
        tell(printable(f"  {error.dead_letter_id}: {' '.join(error.message.split())} [{error.code}]"))
    if result.refused > _ERRORS_SHOWN:
        tell("  ... and more: --json names up to a thousand")


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    return text_of(value) if name in _TIMES and isinstance(value, int) else printable(str(value))


def _where(letter: Envelope) -> str:
    """Where in a log or a file it stood."""
    if letter.topic is not None:
        return f"{letter.topic} {letter.partition}:{letter.offset}"
    return f"line {letter.line}" if letter.line is not None else ""


def _cells(*texts: str) -> list[str]:
    return [escape(printable(text)) for text in texts]
