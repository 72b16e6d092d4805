"""Where the commands are: each can be had without the others, and none is missing from the help."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest
from typer.core import TyperCommand as Command
from typer.core import TyperGroup as Group
from typer.main import get_command

import pipeline.cli
from pipeline.cli import FILES, app, register

SHARED = {"__main__", "common", "progress", "rejected_tables", "times"}
"""Files that hold no command."""

LISTED = """
import sys
from typer.main import get_command
from pipeline.cli import app, register
register(sys.argv[1:])
print(*get_command(app).commands)
"""


def names(*words: str) -> set[str]:
    """The commands known after these words were read, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", LISTED, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [(), ("--help",), ("no-such-command",)])
def test_without_a_command_all_are_known(words: tuple[str, ...]) -> None:
    assert names(*words) == set(FILES)


def files_of(command: Command) -> set[str]:
    """The files that a command, or the commands of a group, were written in."""
    inner = command.commands.values() if isinstance(command, Group) else ()
    callbacks = [one.callback for one in (command, *inner)]
    return {callback.__module__.rsplit(".", 1)[1] for callback in callbacks if callback is not None}


def test_a_command_is_in_the_files_said_to_hold_it() -> None:
    register([])
    found = get_command(app)
    assert isinstance(found, Group)
    assert {name: files_of(command) for name, command in found.commands.items()} == {
        name: set(files) for name, files in FILES.items()
    }


def test_no_file_is_forgotten() -> None:
    held = {module.name for module in pkgutil.iter_modules(pipeline.cli.__path__)}
    assert held - SHARED == {file for files in FILES.values() for file in files}


def test_one_command_brings_only_itself() -> None:
    assert names("links") == {"links"}
    assert names("taxonomy") == {"taxonomy", "config"}
