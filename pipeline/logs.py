"""Structured logs: one event a line on standard error, ours and the libraries' alike, and no personal data in them.

A line names its time (UTC), level, logger and role, what happened, and ids that say where: topic, partition, offsets,
destination. Customers' ids, addresses and bodies are never handed to a logger. For what libraries and servers say there
are three more hedges: what looks like personal data in a text is masked; of an exception that is not our own only its
kind and where it came from are shown, since its words may quote what it failed on; and libraries never log at DEBUG,
where some print what they send.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from pipeline.errors import TouchlineError

Format = Literal["auto", "json", "text"]
_Event = MutableMapping[str, Any]

_LIBRARIES = {
    **dict.fromkeys(("aiokafka", "faust", "mode", "uvicorn", "clickhouse_connect", "urllib3", "asyncio"), logging.INFO),
    **dict.fromkeys(("httpx", "httpcore"), logging.WARNING),  # below, they log every address
}
"""The level that each library's own is never below."""


def configure(level: str, form: Format = "auto", role: str = "", stream: TextIO | None = None) -> None:
    """Send all that is logged to standard error, or `stream`, from now on; called once more, the last call holds.

    `form` auto: text on a terminal, JSON elsewhere. `role` stands in every line, unless it is empty.
    """
    stream = stream or sys.stderr
    plain = form == "text" or (form == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(plain, role))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _LIBRARIES.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)


def _formatter(plain: bool, role: str) -> logging.Formatter:
    def named(_: Any, __: str, event: _Event) -> _Event:
        return {**event, "role": role} if role else event

    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        named,
        _failure,
        _masked,
    ]
    last: Processor = _text if plain else _json
    return structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last], foreign_pre_chain=first
    )


def _failure(_: Any, __: str, event: _Event) -> _Event:
    """An exception as its kind, and where it came from; its words only where they are ours."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = info[1] if isinstance(info, tuple) else None
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__
        event["where"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        if isinstance(error, TouchlineError):
            event["why"] = str(error)
    return event


def _short(path: str) -> str:
    """A file with its folder: which of our packages or of the libraries it is."""
    return "/".join(Path(path).parts[-2:])


def _masked(_: Any, __: str, event: _Event) -> _Event:
    from pipeline.personal_data import find  # noqa: PLC0415 (most processes never log anything that needs it)

    for name, value in event.items():
        if name in {"time", "level", "logger", "role", "where"} or not isinstance(value, str):
            continue
        for found in reversed(find(value)):
            value = f"{value[: found.start]}[{found.kind}]{value[found.end :]}"  # noqa: PLW2901 (grown piece by piece)
        event[name] = value
    return event


def _json(_: Any, __: str, event: Mapping[str, Any]) -> str:
    order = ("time", "level", "role", "logger", "event")
    return json.dumps({**{name: event[name] for name in order if name in event}, **event}, default=str)


def _text(_: Any, __: str, event: Mapping[str, Any]) -> str:
    """The same for people: control characters escaped, so that one event stays one line."""
    head = f"{event['time'][:19].replace('T', ' ')} {event['level'].upper()} {event.get('logger', '')} {event['event']}"
    known = {"time", "level", "logger", "event", "role"}
    more = "".join(f" {name}={value!r}" for name, value in event.items() if name not in known)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in head + more)
