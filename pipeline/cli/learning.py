"""The commands risk evaluate and risk fit: how good the scores were, and what can be learned from the past."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table

from pipeline import learning
from pipeline.attach import attach
from pipeline.backtest import Example, Leaving, Window, report
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.risk import risk_app
from pipeline.cli.times import moment_of, text_of
from pipeline.customer import Rules
from pipeline.errors import TouchlineError, UsageError
from pipeline.model_file import load_model, rules_of
from pipeline.rhythm import DAY
from pipeline.risk_model import Model, encode
from pipeline.settings import load

Horizon = Annotated[int, typer.Option("--horizon", min=1, max=3650, metavar="DAYS", help="How far ahead to look.")]
_HORIZON = 90
Means = Annotated[Leaving, typer.Option("--leaving", help="What leaving means within the horizon, beside a goodbye.")]


@risk_app.command()
def evaluate(  # noqa: PLR0913 (each an option)
    *,
    cutoff: Annotated[
        str, typer.Option(metavar="TIME", help="Moment, RFC 3339 with offset; nothing after it has a say in a score.")
    ],
    horizon: Horizon = _HORIZON,
    leaving: Means = Leaving.SILENCE,
    model: Annotated[Path | None, typer.Option(help="File of the model to examine [TOUCHLINE_RISK_MODEL].")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Score everybody as of a moment of the past and compare with who left within the horizon after it.

    Example: touchline risk evaluate --cutoff 2026-03-01T00:00:00Z --horizon 90.
    """
    moment = cast(int, moment_of(cutoff, "--cutoff"))
    window = Window(moment, moment + horizon * DAY, leaving)
    rules = rules_of(load())
    if model is not None:
        rules = Rules(rules.gaps, rules.history, load_model(model))
    examples = run(_examples(window, rules, data))
    found = {
        "cutoff": text_of(moment),
        "horizon_days": horizon,
        "leaving": leaving.value,
        "model_version": rules.model.model.version,
        **report(examples, window, rules.model),
    }
    print_json(found) if as_json else _show(found)


async def _examples(window: Window, rules: Rules, data: Path | None) -> list[Example]:
    async with attach(load(), data) as target, await target.clickhouse() as client:
        _, last = await learning.span(client)
        if window.end > last + DAY:
            raise UsageError(
                f"the history ends at {text_of(last)}, before the horizon does ({text_of(window.end)}): "
                "choose an earlier --cutoff or a shorter --horizon"
            )
        found = await learning.examples(client, window, rules)
    if not found:
        raise UsageError(f"nobody had been seen by {text_of(window.cutoff)}: choose a later --cutoff")
    return found


@risk_app.command()
def fit(  # noqa: PLR0913 (each an option)
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the model goes: JSON, replaced as a whole.")],
    *,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Moment, RFC 3339 with offset; nothing after it is used [the last touchpoint]."
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=1, max=3650, metavar="DAYS", help="How far ahead the score looks [90, or half of a shorter history]."
        ),
    ] = None,
    leaving: Means = Leaving.SILENCE,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Learn a risk model from the history: rates, weights, and a score that is the chance of leaving in percent.

    Workers that run with TOUCHLINE_RISK_MODEL=FILE take it up without a restart. Example: touchline risk fit risk.json.
    """
    model, examples, window = run(_fit(moment_of(until, "--until"), horizon, leaving, data))
    _write(file, model)
    rates = model.population
    found = {
        "file": str(file),
        "model_version": model.version,
        "until": text_of(window.end),
        "horizon_days": (window.end - window.cutoff) // DAY,
        "customers": len(examples),
        "left": sum(each.left for each in examples),
        "population": {"r": rates.r, "alpha_days": rates.alpha_days, "a": rates.a, "b": rates.b},
        "calibration": {"offset": model.calibration.offset, "factor": model.calibration.factor},
        "in_sample": {key: report(examples, window, model.compile())[key] for key in ("roc_auc", "brier")},
    }
    print_json(found) if as_json else _show_fit(found)


async def _fit(
    until: int | None, horizon: int | None, leaving: Leaving, data: Path | None
) -> tuple[Model, list[Example], Window]:
    rules = rules_of(load())
    async with attach(load(), data) as target, await target.clickhouse() as client:
        first, last = await learning.span(client)
        end = last if until is None else min(until, last)
        horizon = horizon or max(min(_HORIZON, (end - first) // DAY // 2), 1)
        window = Window(end - horizon * DAY, end, leaving)
        model, examples = await learning.fit(client, window, rules, _version(end))
    if not examples:
        tell(f"nobody had been seen {horizon} days before the end, so only the population's rates were learned")
    return model, examples, window


def _version(end: int) -> str:
    """A name that no other fit has: the end of what was learned from, and the moment of learning."""
    made = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:8]
    return f"fit-{text_of(end)[:10]}-{made}"


def _write(file: Path, model: Model) -> None:
    """Replace the file in one step, so that no worker reads a half. Raises TouchlineError where that fails."""
    part = file.with_name(file.name + ".part")
    try:
        part.write_bytes(encode(model))
        part.replace(file)
    except OSError as error:
        raise TouchlineError(f"{file} cannot be written: {error.strerror}") from error


def _show_fit(found: dict[str, Any]) -> None:
    tell(
        f"{found['model_version']} written to {found['file']}, learned from {found['customers']} customers, of whom "
        f"{found['left']} left; ROC AUC on the same {_number(found['in_sample']['roc_auc'])}. "
        "To check it at another time: touchline risk evaluate"
    )


def _show(found: dict[str, Any]) -> None:
    console = Console()
    console.print(
        f"{found['customers']} customers at {found['cutoff']}, of whom {found['left']} left within "
        f"{found['horizon_days']} days ({found['leaving']}); model {found['model_version']}"
    )
    ranking = Table("ranking", "ROC AUC", "average precision", box=None)
    for name, row in {"risk": found, **found["baselines"]}.items():
        ranking.add_row(name, _number(row["roc_auc"]), _number(row["average_precision"]))
    levels = Table("from level", "customers", "precision", "recall", box=None)
    for row in found["levels"]:
        levels.add_row(row["level"], str(row["customers"]), _number(row["precision"]), _number(row["recall"]))
    bins = Table("predicted", "left", "customers", box=None, title="calibration")
    for row in found["calibration"]:
        bins.add_row(_number(row["predicted"]), _number(row["left"]), str(row["customers"]))
    for table in (ranking, levels, bins):
        console.print(table)
    lead = found["lead"]
    console.print(
        f"Brier score {_number(found['brier'])}, calibration error {_number(found['calibration_error'])}; "
        f"{lead['warned']} of {lead['left']} stood at high when they left, "
        f"half of them for {_number(lead['median_days'])} days or more"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
