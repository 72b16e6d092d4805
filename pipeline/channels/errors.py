"""What goes wrong with a mapping file."""

from __future__ import annotations

from pipeline.errors import ConfigurationError


class MappingError(ConfigurationError):
    """A mapping file cannot be used; the text names the file, the place in it and the fix."""
