"""The file that keys are kept in: written in one step, readable by its owner only."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.collector.keys import Key
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

DEFAULT_NAME = "write-keys.json"


class _Content(msgspec.Struct, frozen=True):
    version: Literal[1]
    keys: tuple[Key, ...]


def path_of(settings: Settings, data: Path | None = None) -> Path:
    """Return the file of the settings, else that of the local stack in `data` (by default the folder of the settings).

    Raises ConfigurationError where neither is meant: a broker is set, so the collector is not the local stack's.
    """
    if settings.keys_file is not None:
        return settings.keys_file
    if data is None and settings.kafka_url:
        raise ConfigurationError("TOUCHLINE_KEYS_FILE is not set: name the file that the collectors read")
    return (data or settings.data) / DEFAULT_NAME


def read(path: Path) -> tuple[Key, ...]:
    """Return the keys. Raises ConfigurationError that names the file and what is wrong, also when there is none."""
    try:
        return _keys(path)
    except FileNotFoundError as error:
        raise ConfigurationError(f"the keys in {path} cannot be read: there is no such file") from error


def read_if_any(path: Path) -> tuple[Key, ...]:
    """Return the keys, none when there is no file yet. Raises ConfigurationError as `read` does."""
    try:
        return _keys(path)
    except FileNotFoundError:
        return ()


def _keys(path: Path) -> tuple[Key, ...]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Content).keys
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigurationError(f"the keys in {path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not a file of keys: {error}; restore it") from error


def write(path: Path, keys: tuple[Key, ...]) -> None:
    """Replace the file in one step, durably: a reader finds the old keys or the new ones. It keeps its owner.

    Raises ConfigurationError when it cannot be written; then it is as it was.
    """
    content = msgspec.json.format(msgspec.json.encode(_Content(1, keys)), indent=1)
    try:
        descriptor, draft = tempfile.mkstemp(prefix=path.name, dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content + b"\n")
                file.flush()
                _keep_owner(path, descriptor)
                os.fsync(descriptor)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}; the keys are as they were") from error


def _keep_owner(path: Path, descriptor: int) -> None:
    """Give the draft to whom the file belongs, so that a collector can go on reading what root has changed."""
    with suppress(OSError):
        found = path.stat()
        os.fchown(descriptor, found.st_uid, found.st_gid)


@contextmanager
def changing(path: Path) -> Iterator[tuple[Key, ...]]:
    """Read the keys for a change: nobody else changes them until the block ends.

    Raises ConfigurationError when the folder cannot be written or the file is broken.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"keys cannot be kept in {path.parent}: {error.strerror}; choose another") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield read_if_any(path)
    finally:
        os.close(lock)
