"""Puts short links into the collector, where the settings name a registry of them."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import FastAPI

from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.links import described
from pipeline.collector.links.backlog import Backlog
from pipeline.collector.links.book import Book
from pipeline.collector.links.cookie import VisitorCookie
from pipeline.collector.links.endpoint import Links
from pipeline.collector.links.metrics import LinkMetrics
from pipeline.collector.metrics import Metrics
from pipeline.link_tokens import Signer
from pipeline.publisher import Publisher
from pipeline.settings import Settings


class Parts(NamedTuple):
    """What the endpoints of a collector share."""

    publisher: Publisher
    gate: Gate
    metrics: Metrics
    intake: Intake


def mount(app: FastAPI, settings: Settings, parts: Parts) -> Backlog | None:
    """Add /l/{code}; the clicks that still wait are to be finished before the publisher stops.

    None without TOUCHLINE_LINKS. Raises ConfigurationError for a setting or a registry that cannot be used.
    """
    if settings.links is None:
        return None
    metrics = LinkMetrics(parts.metrics)
    book = Book(settings.links, metrics.unread)
    backlog = Backlog(parts.publisher, settings.link_keep_seconds, metrics)
    metrics.watch(book.__len__, backlog.__len__)
    links = Links(
        book=book,
        signer=Signer(settings.link_key),
        cookie=VisitorCookie(settings),
        intake=parts.intake,
        backlog=backlog,
        gate=parts.gate,
        metrics=metrics,
        wait_seconds=settings.link_wait_ms / 1000,
    )
    app.add_api_route("/l/{code:path}", links.follow, **described.GET)
    app.add_api_route("/l/{code:path}", links.follow, **described.HEAD)
    return backlog
