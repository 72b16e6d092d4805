"""The risk model that a deployment uses: the file of `TOUCHLINE_RISK_MODEL`, looked at again while it is in use."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipeline.customer import Rules
from pipeline.errors import ConfigurationError
from pipeline.model import ContractError
from pipeline.risk_model import Compiled, decode, default_model
from pipeline.settings import Settings

LOOK_SECONDS = 2.0
_log = logging.getLogger(__name__)
_Mark = tuple[int, int, int]


def load_model(file: Path | None) -> Compiled:
    """The model of a file; None: the shipped one. Raises ConfigurationError that names the file and what is wrong."""
    if file is None:
        return default_model()
    try:
        return decode(file.read_bytes()).compile()
    except OSError as error:
        raise ConfigurationError(f"{file}: the risk model cannot be read: {error.strerror}") from error
    except ContractError as error:
        raise ConfigurationError(f"{file}: {error}; `touchline risk fit` writes one that is right") from error


def rules_of(settings: Settings) -> Rules:
    """The rules that the settings ask for, with the deployment's model. Raises ConfigurationError for a wrong one."""
    return replace(Rules.of(settings), model=load_model(settings.risk_model))


class LiveRules:
    """The rules, with the model as its file now is: a changed file counts within LOOK_SECONDS, without a restart.

    A file that is gone or wrong changes nothing but the log: the model before it stays in use.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules_of(settings)
        self._file = settings.risk_model
        self._clock = clock
        self._looked = clock()
        self._mark = _mark(self._file)

    def __call__(self) -> Rules:
        """The rules of this moment."""
        if self._file is not None and self._clock() - self._looked >= LOOK_SECONDS:
            self._looked = self._clock()
            if (mark := _mark(self._file)) != self._mark:
                self._mark = mark
                self._take(self._file)
        return self._rules

    def _take(self, file: Path) -> None:
        try:
            model = load_model(file)
        except ConfigurationError as error:
            _log.error("%s; version %s stays in use", error, self._rules.model.model.version)
            return
        _log.warning("risk model %s is in use from here on", model.model.version)
        self._rules = replace(self._rules, model=model)


def _mark(file: Path | None) -> _Mark | None:
    """What changes with the file; None where there is none."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
