"""The colours, once for light and once for dark; page and charts take theirs from here.

Text on `page` and `card` keeps a contrast of 4.5:1 (WCAG AA). Good and bad differ in brightness as well as in hue.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as CSS writes them."""

    page: str
    card: str
    line: str
    text: str
    muted: str
    accent: str
    soft: str
    peak: str
    good: str
    neutral: str
    bad: str
    low: str
    medium: str
    high: str
    critical: str
    gone: str
    flow: str

    def level(self, name: str) -> str:
        """The colour of a level of risk."""
        return {"low": self.low, "medium": self.medium, "high": self.high, "critical": self.critical}.get(
            name, self.gone
        )


LIGHT = Palette(
    page="#f4f5f7",
    card="#ffffff",
    line="#dfe3e8",
    text="#17202a",
    muted="#56606e",
    accent="#1f5fbf",
    soft="#e4edfa",
    peak="#1f5fbf",
    good="#14806f",
    neutral="#c9ced6",
    bad="#b8322a",
    low="#7fb2dd",
    medium="#e3b341",
    high="#d9741c",
    critical="#a8201a",
    gone="#8a93a0",
    flow="rgba(31, 95, 191, 0.25)",
)
DARK = Palette(
    page="#10151c",
    card="#19212b",
    line="#2f3a47",
    text="#e8edf3",
    muted="#a3afbd",
    accent="#7db4ff",
    soft="#1d3350",
    peak="#2f72cf",
    good="#3fc2ab",
    neutral="#4a5563",
    bad="#ff8a7f",
    low="#4f86b8",
    medium="#d9a93a",
    high="#ec8b3c",
    critical="#f0564c",
    gone="#7b8695",
    flow="rgba(125, 180, 255, 0.28)",
)
