"""For engineers who emit touchpoints from their own services.

async with Emitter(url, write_key) as emitter:
    await emitter.emit(channel="web", touchpoint="page_view", customer_id="c-17", duration_ms=5300)

with SyncEmitter(url, write_key) as emitter:
    emitter.emit(channel="store", touchpoint="visit", customer_id="c-17")
"""

from pipeline.emitter.asynchronous import Emitter
from pipeline.emitter.event import Fields
from pipeline.emitter.options import BufferFullError, Options, WhenFull
from pipeline.emitter.report import OnRejected, Problem, Rejection, Stats
from pipeline.emitter.synchronous import SyncEmitter

__all__ = [
    "BufferFullError",
    "Emitter",
    "Fields",
    "OnRejected",
    "Options",
    "Problem",
    "Rejection",
    "Stats",
    "SyncEmitter",
    "WhenFull",
]
