"""Where the commands are: each can be had without the others, and none is missing from the help."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("file", sorted({file for files in FILES.values() for file in files}))
def test_a_command_is_in_the_files_said_to_hold_it(file: str) -> None:
    held = {command for command, files in FILES.items() if file in files}
    for command in held:
        register([command])
    commands = {info.callback for info in app.registered_commands if info.callback is not None}
    groups = {group.typer_instance for group in app.registered_groups if group.typer_instance is not None}
    callbacks = commands | {info.callback for group in groups for info in group.registered_commands}
    assert f"pipeline.cli.{file}" in {callback.__module__ for callback in callbacks if callback is not None}


def test_no_file_is_forgotten() -> None:
    held = {module.name for module in pkgutil.iter_modules(pipeline.cli.__path__)}
    assert held - SHARED == {file for files in FILES.values() for file in files}


def test_one_command_brings_only_itself() -> None:
    assert names("links") == {"links"}
    assert names("taxonomy") == {"taxonomy", "config"}
