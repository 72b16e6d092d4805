"""Every error Touchline raises on its own account.

    TouchlineError            a message that says what to do; the CLI prints it as one line and exits 1
     ├─ UsageError            the caller's words are wrong; exit 2
     ├─ ConfigurationError    a setting is missing or contradicts another; exit 2
     ├─ UnavailableError      Kafka, ClickHouse or the registry did not answer in time: trying again may help
     ├─ FencedError           another worker owns this partition now: stop without committing
     ├─ AnotherLogError       Kafka holds another log than before: stop without committing; a new start sorts it out
     └─ BrokenInvariantError  our own fault: stop, commit nothing, keep the evidence

Bad *data* is never an exception: it becomes a `pipeline.model.Rejected` value. Errors of libraries are mapped to
these once, at the edge where they arise, with `raise ... from`.
"""


class TouchlineError(Exception):
    """Base of all errors below; its text is one line that names the problem and what to do about it."""

    exit_code = 1


class UsageError(TouchlineError):
    """A command or call was given words it cannot take."""

    exit_code = 2


class ConfigurationError(TouchlineError):
    """A setting is missing, malformed or contradicts another."""

    exit_code = 2


class UnavailableError(TouchlineError):
    """A server did not answer in time; nothing was lost, and trying again may help."""


class FencedError(TouchlineError):
    """Another worker has taken this partition over; whatever was in flight here must not be committed."""


class BrokenInvariantError(TouchlineError):
    """Something that cannot happen has happened; the process stops without committing."""


class AnotherLogError(TouchlineError):
    """Kafka holds another log than the one this process began on: stop without committing, and start again."""
