"""Where a short link may lead: checked once, when its registry is read, so that following it needs no judgement."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from pipeline.errors import ConfigurationError

LONGEST = 2048
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
"""The parameters that a link with `pass_query` hands on, and records."""
LONGEST_UTM = 200

_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_STRANGE = re.compile(r"[^!-~]|[\"<>\\^`{|}]")
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?|[0-9a-f:.]+:[0-9a-f:.]*")
_LONGEST_HOST = 253


def target_problem(target: str) -> str | None:
    """What is wrong with a target, and the fix; None for an absolute http(s) URL that all browsers read alike."""
    if len(target) > LONGEST:
        return f"may have {LONGEST:,} characters, this one has {len(target):,}"
    if strange := _STRANGE.search(target):
        return f"holds {strange.group()!r}: percent-encode it (a host with other letters than a-z: as punycode)"
    if not _WEB.match(target):
        return "must begin with https:// or http:// and a host, like https://shop.example/spring"
    try:
        return _authority_problem(urlsplit(target))
    except ValueError as error:
        return f"is not a URL: {error}"


def _authority_problem(split: SplitResult) -> str | None:
    """Raise ValueError for a port or an IPv6 address that is none."""
    if "@" in split.netloc:
        return "may not hold a user before the host, which readers take for the host: remove all up to the @"
    host, port = split.hostname or "", split.port
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host) or port == 0:
        return f"names {split.netloc!r}, which cannot be a host"
    return None


def checked_public(url: str | None) -> str | None:
    """The setting of the short links' public address. Raises ConfigurationError when it cannot be one."""
    if url and (problem := target_problem(url) or ("may not have a query or fragment" if set(url) & {*"?#"} else None)):
        raise ConfigurationError(f"TOUCHLINE_LINK_URL {problem}")
    return url or None


def host_of(target: str) -> str:
    """The host of a target that has no problem, in lower case."""
    return urlsplit(target).hostname or ""


def utm_of(query: Mapping[str, str]) -> dict[str, str]:
    """The campaign parameters among those of a request, each cut to 200 characters; empty ones are left out."""
    return {name: query[name][:LONGEST_UTM] for name in UTM if query.get(name)}


def with_parameters(target: str, added: Mapping[str, str]) -> str:
    """The target with parameters at the end of its query; those it has already stay as they are."""
    split = urlsplit(target)
    there = {name for name, _ in parse_qsl(split.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in added.items() if name not in there}, errors="replace")
    return urlunsplit(split._replace(query="&".join(part for part in (split.query, more) if part)))
