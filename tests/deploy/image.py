"""The steps of the Dockerfile's first stage, run in a folder: `python -m tests.deploy.image FOLDER`.

What they give is the image's content but for the base image: a virtual environment, whose interpreter is printed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.composed import DEPLOY

DOCKERFILE = DEPLOY / "Dockerfile"
PROJECT = DEPLOY.parent


def steps() -> Iterator[tuple[str, str]]:
    """Instruction and arguments of the first stage, continued lines joined."""
    text = DOCKERFILE.read_text().split("\nFROM ")[0 if DOCKERFILE.read_text().startswith("FROM") else 1]
    for line in re.sub(r"\\\n\s*", "", text).splitlines()[1:]:
        if line and not line.startswith("#"):
            instruction, _, arguments = line.partition(" ")
            yield instruction, arguments


def build(folder: Path) -> Path:
    """Run the steps; the interpreter of the environment they make. Raises CalledProcessError for one that fails."""
    work = folder / "build"
    work.mkdir(parents=True)
    for instruction, arguments in steps():
        if instruction == "COPY":
            _copy(arguments.split(), work)
        elif instruction == "RUN":
            command = re.sub(r"--mount=\S+\s+", "", arguments)
            command = command.replace("/opt/", f"{folder}/").replace("python -m venv", f"{sys.executable} -m venv")
            subprocess.run(
                ["sh", "-euc", command], cwd=work, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)}
            )
        else:
            assert instruction in {"ENV", "WORKDIR"}, instruction
    return folder / "touchline" / "bin" / "python"


def _copy(arguments: list[str], work: Path) -> None:
    *sources, target = arguments
    for source in sources:
        path = PROJECT / source
        if path.is_dir():
            shutil.copytree(path, work / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, work / target)


if __name__ == "__main__":
    print(build(Path(sys.argv[1]).resolve()))
