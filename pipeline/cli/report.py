"""The command report: what the views say, as one page."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run
from pipeline.report.asking import Answers, ask
from pipeline.report.page import render
from pipeline.report.plotly_script import plotly_script
from pipeline.report.sections import sections
from pipeline.report.writing import write_csv, write_page
from pipeline.settings import load

_MOST = 10_000


@app.command()
def report(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write report.html to.")] = Path(
        "touchline-report"
    ),
    csv: Annotated[bool, typer.Option("--csv", help="Write every table as CSV beside it.")] = False,
    top: Annotated[int, typer.Option(min=1, max=_MOST, metavar="N", help="How many customers at risk to list.")] = 100,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write a report of journeys and risk, a page that needs nothing else. Example: touchline report --out ./today."""
    plotly = plotly_script()
    answers = run(_ask(data, top))
    page = render(answers, datetime.now(UTC), version("touchline"), plotly)
    written = [write_page(out, page)]
    if csv and not answers.empty:
        written += write_csv(out, sections(answers))
    if json:
        print_json({"touchpoints": answers.numbers["touchpoints"], "files": [str(path) for path, _ in written]})
        return
    for path, size in written:
        typer.echo(f"{path}  {size:,} bytes")


async def _ask(data: Path | None, top: int) -> Answers:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        return await ask(client, top)
