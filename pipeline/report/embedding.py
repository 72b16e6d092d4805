"""Putting scripts, styles and data into a page so that none can end early, and so that nothing else ever runs.

The page's Content-Security-Policy names each of its scripts by SHA-256 and allows no other: a script that got in as
text would not run, and nothing is loaded from or sent to anywhere.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from markupsafe import Markup

_NONE = "'none'"
_JSON_ESCAPES = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})


def data_block(value: Any) -> Markup:
    """The value as JSON for a `<script type="application/json">`: nothing in it reads as markup."""
    return Markup(json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_JSON_ESCAPES))  # noqa: S704


def script_block(source: str) -> Markup:
    """A script's source for a `<script>`: no string in it ends the element or opens a comment that hides its end."""
    safe = _lines(source).replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return Markup(safe)  # noqa: S704 (scripts of this package and of plotly)


def style_block(source: str) -> Markup:
    """A style sheet's source for a `<style>`."""
    return Markup(_lines(source))  # noqa: S704 (this package's own)


def policy(scripts: Iterable[str]) -> str:
    """The Content-Security-Policy under which these scripts run, and nothing else is run or loaded.

    Styles are free, because Plotly makes its own, and draws heat maps as `data:` images; neither
    can run or fetch anything.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts)) or _NONE}",
            "style-src 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(block: str) -> str:
    return f"'sha256-{b64encode(sha256(block.encode()).digest()).decode()}'"


def _lines(source: str) -> str:
    """With the line ends that a browser makes of them before it takes the hash."""
    return source.replace("\r\n", "\n").replace("\r", "\n")
