"""What every role shows of its own process: processor time, memory, open files, and the version that runs."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from pipeline.model import VERSION


def process_registry() -> CollectorRegistry:
    """A registry of its own for one role; `process_...` are there where /proc is."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Gauge("touchline_build_info", "Always 1; the version is its label", ["version"], registry=registry)
    build.labels(VERSION).set(1)
    return registry
