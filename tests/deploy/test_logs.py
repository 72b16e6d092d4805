"""What a line of the log looks like, and what it never shows."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from pipeline import logs
from pipeline.errors import UnavailableError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs._LIBRARIES}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(False)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line_is_an_object_with_ids(stream: io.StringIO) -> None:
    logs.configure("INFO", role="landing", stream=stream)
    logging.getLogger("agents.landing").warning("partition %s waits", 3, extra={"topic": "risk", "partition": 3})
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "role": "landing",
        "logger": "agents.landing",
        "event": "partition 3 waits",
        "topic": "risk",
        "partition": 3,
    }


def test_a_terminal_gets_text_and_one_line_an_event() -> None:
    terminal = Terminal()
    logs.configure("INFO", stream=terminal)
    logging.getLogger("agents").info("two\nlines \x1b[31m and ü", extra={"topic": "risk"})
    (line,) = terminal.getvalue().splitlines()
    assert line.endswith(r"INFO agents two\nlines \x1b[31m and ü topic='risk'")


@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("text", False), ("auto", True)])
def test_the_setting_decides(stream: io.StringIO, form: logs.Format, is_json: bool) -> None:
    logs.configure("INFO", form, stream=stream)
    logging.getLogger("agents").error("a\nb")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("{") is is_json


@pytest.mark.parametrize(
    ("personal", "kind"),
    [
        ("ada@example.com", "email"),
        ("+49 30 901820", "phone"),
        ("4242 4242 4242 4242", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
    ],
)
def test_what_looks_personal_is_masked_wherever_it_stands(stream: io.StringIO, personal: str, kind: str) -> None:
    logs.configure("INFO", stream=stream)
    logging.getLogger("x").error("cannot parse %s here", personal, extra={"said": f"<{personal}>"})
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["said"]) == (f"cannot parse [{kind}] here", f"<[{kind}]>")


def failed(error: Exception) -> None:
    try:
        raise error  # noqa: TRY301 (it is what is tested)
    except Exception:
        logging.getLogger("x").exception("failed")


def test_the_words_of_a_foreign_exception_are_not_shown(stream: io.StringIO) -> None:
    logs.configure("INFO", stream=stream)
    failed(ValueError("customer C-1815 has no such thing"))
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert "1815" not in stream.getvalue()
    assert line["exception"] == "ValueError"
    assert line["where"][-1].startswith("deploy/test_logs.py:")
    assert line["where"][-1].endswith(" failed")


def test_our_own_errors_say_what_to_do(stream: io.StringIO) -> None:
    logs.configure("INFO", stream=stream)
    failed(UnavailableError("ClickHouse did not answer: is it running?"))
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["why"] == "ClickHouse did not answer: is it running?"


@pytest.mark.parametrize("name", ["aiokafka.conn", "httpx", "uvicorn.error", "faust.transport"])
def test_libraries_never_log_what_they_send(stream: io.StringIO, name: str) -> None:
    logs.configure("DEBUG", stream=stream)
    logging.getLogger(name).debug("sent %s", b"body")
    logging.getLogger("agents").debug("committed")
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert line["event"] == "committed"


def test_warnings_of_libraries_are_lines_too(stream: io.StringIO) -> None:
    import warnings

    logs.configure("INFO", stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert "old" in line["event"]
