"""The command `touchline`. One file per group of commands; this one runs them and turns errors into one line."""

from __future__ import annotations

import logging
import sys

import typer
from typer.core import TyperGroup

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


def main() -> None:
    """Run the command line and exit: 0 well, 1 found something wrong, 2 wrong usage."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    try:
        logging.basicConfig(
            level=load().log_level,
            format="%(asctime)s %(levelname)s %(name)s %(message)s",
            stream=sys.stderr,
        )
        from pipeline.cli import (  # noqa: PLC0415 (they register commands)
            alerts,  # noqa: F401
            analysis,  # noqa: F401
            backfill,  # noqa: F401
            catalogue,  # noqa: F401
            channels,  # noqa: F401
            data,  # noqa: F401
            forget,  # noqa: F401
            identities,  # noqa: F401
            keys,  # noqa: F401
            learning,  # noqa: F401
            links,  # noqa: F401
            rebuild,  # noqa: F401
            rejected,  # noqa: F401
            risk,  # noqa: F401
            roles,  # noqa: F401
            stack,  # noqa: F401
        )

        app()
    except TouchlineError as error:
        if debug:
            raise
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def fail(message: str, code: int = 1) -> None:
    """End the command with one line on standard error."""
    sys.stderr.write("touchline: " + " ".join(message.split()) + "\n")
    sys.exit(code)
