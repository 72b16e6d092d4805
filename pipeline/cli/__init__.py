"""The command `touchline`. One file per group of commands; this one runs them and turns errors into one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import typer
from typer.core import TyperGroup

from pipeline import logs
from pipeline.errors import TouchlineError
from pipeline.settings import load

app = typer.Typer(
    name="touchline",
    help="Joins every contact of a customer into one journey, and says who is about to leave.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    cls=TyperGroup,
)

LOCAL = frozenset({"chdb", "platformdirs", "jgo", "noida_db"})
"""What only the extra `local` brings, which a production image is without."""

FILES: dict[str, tuple[str, ...]] = {
    "sql": ("analysis",),
    "backfill": ("backfill",),
    "taxonomy": ("catalogue",),
    "config": ("catalogue",),
    "audit": ("data",),
    "rebuild": ("rebuild",),
    "collector": ("roles",),
    "worker": ("roles",),
    "migrate": ("roles",),
    "up": ("stack",),
    "demo": ("stack",),
    "alerts": ("alerts",),
    "channels": ("channels",),
    "export": ("forget",),
    "forget": ("forget",),
    "identities": ("identities",),
    "keys": ("keys",),
    "risk": ("risk", "learning"),
    "links": ("links",),
    "imports": ("rebuild",),
    "rejected": ("rejected",),
    "report": ("report",),
}
"""The files of this folder that hold a command: one command needs no other's imports, which take longer than it."""


@app.callback()
def _touchline() -> None:
    """Nothing is common to the commands; without this, Typer would take the name of an only command for its word."""


def main() -> None:
    """Run the command line and exit: 0 well, 1 found something wrong, 2 wrong usage."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        form = load().log_format
        logs.configure(load().log_level, "text" if form == "auto" else form)
        register(sys.argv[1:])
        app()
    except TouchlineError as error:
        if debug:
            raise
        fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        if debug or error.name not in LOCAL:
            raise
        fail(
            "this needs the local stack: name servers by TOUCHLINE_KAFKA_URL and TOUCHLINE_CLICKHOUSE_URL, "
            f"or pip install 'touchline[local]' ({error.name} is not there)",
            2,
        )
    except KeyboardInterrupt:
        sys.exit(130)


def register(words: Sequence[str]) -> None:
    """Add the command that the words begin with to `app`; all commands where they begin with none, as for help."""
    every = dict.fromkeys(name for names in FILES.values() for name in names)
    for name in FILES.get(words[0], every) if words else every:
        import_module(f"pipeline.cli.{name}")


def fail(message: str, code: int = 1) -> None:
    """End the command with one line on standard error."""
    sys.stderr.write("touchline: " + " ".join(message.split()) + "\n")
    sys.exit(code)
