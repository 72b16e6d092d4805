"""The plan for alerts that the settings name."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.alerts.plan import Plan, read
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


def plan_of(settings: Settings) -> Plan:
    """Read TOUCHLINE_ALERTS; where it is not set, alerts are raised by the defaults and nobody is told.

    Raises ConfigurationError that names the file, the key and the fix, and shows no value.
    """
    if settings.alerts is None:
        return Plan()
    plan, problems = read(_text_of(settings.alerts), os.environ)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigurationError(f"TOUCHLINE_ALERTS: {settings.alerts}: {problems[0].message}{more}")
    return plan


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"TOUCHLINE_ALERTS: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"TOUCHLINE_ALERTS: {path} is not UTF-8 at byte {error.start}") from error
