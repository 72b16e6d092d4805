"""Plotly's script, from its installed package: the report brings it along and loads nothing."""

from __future__ import annotations

from pipeline.errors import ConfigurationError


def plotly_script() -> str:
    """The whole of plotly.js. Raises ConfigurationError without the extra `report`."""
    try:
        from plotly.offline import get_plotlyjs  # noqa: PLC0415 (the extra `report` may be absent)
    except ImportError as error:
        raise ConfigurationError("the report's charts need plotly: pip install 'touchline[report]'") from error
    return str(get_plotlyjs())
