"""The demo from beginning to end."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline import scoring
from pipeline.attach import Target, attach
from pipeline.audit import audit
from pipeline.backfill import backfill
from pipeline.demo.judgement import Judgement, judge
from pipeline.demo.post import batches, post
from pipeline.demo.progress import Phases
from pipeline.demo.proof import Counted, Found, find, problems
from pipeline.demo.vendors import Vendors
from pipeline.errors import ConfigurationError, UsageError
from pipeline.landed import wait_until_landed
from pipeline.local.stack import running
from pipeline.model import ANONYMOUS_PREFIX
from pipeline.model_file import load_model
from pipeline.registry import schema_ids
from pipeline.risk import AT_RISK
from pipeline.scoring import Scored
from pipeline.settings import Settings
from pipeline.simulator import Company, simulate
from pipeline.simulator.company import LEAST_TOUCHES
from schemas.ids import Ids
from sinks import sql
from sinks.clickhouse import Client, Row

LANDING_SECONDS = 600.0
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What to simulate, and in which folder; None makes a fresh one."""

    customers: int
    touchpoints: int
    seed: int
    data: Path | None

    def check(self) -> None:
        """Raise UsageError for a company that cannot be simulated."""
        if self.touchpoints < LEAST_TOUCHES * self.customers:
            raise UsageError(
                f"--touchpoints {self.touchpoints}: a customer needs at least {LEAST_TOUCHES} to have a story, "
                f"so {self.customers} customers need {LEAST_TOUCHES * self.customers}"
            )


@dataclass(frozen=True)
class Views:
    """What analysts would look at first: rows of the journey map and of the channels, and the scores."""

    journey_map: Sequence[Row]
    channels: Sequence[Row]
    scores: Sequence[Scored]

    @property
    def at_risk(self) -> list[Scored]:
        """The customers who can still be kept, the most urgent first."""
        return [
            each
            for each in self.scores
            if each.risk.level in AT_RISK and not each.customer_id.startswith(ANONYMOUS_PREFIX)
        ]


@dataclass(frozen=True)
class Outcome:
    """What came of it. `problems` says in words what does not add up."""

    company: Company
    counted: Counted
    found: Found
    views: Views
    judgement: Judgement
    problems: Sequence[str]
    seconds: float
    phases: Mapping[str, float]
    data: Path

    def to_json(self) -> dict[str, Any]:
        """Return the object that `touchline demo --json` prints."""
        return {
            "sent": self.counted.sent,
            "accepted": self.counted.accepted,
            "rejected": self.counted.rejected,
            "duplicates": self.found.duplicates,
            "landed": self.found.landed,
            "customers": self.found.customers,
            "visits": self.found.visits,
            "journeys": self.found.journeys,
            "at_risk": len(self.views.at_risk),
            "alerts": self.found.alerts,
            "precision": self.judgement.precision,
            "recall": self.judgement.recall,
            "seconds": round(self.seconds, 2),
            "data": str(self.data),
        }


async def demo(plan: Plan, settings: Settings, phases: Phases) -> Outcome:
    """Bring up a Touchline, run a simulated company through it, prove that all arrived, and look at the result.

    Raises UsageError for a folder that already holds touchpoints. Whatever it started is stopped on the way out; the
    folder stays.
    """
    plan.check()
    began, now, data = time.monotonic(), datetime.now(UTC), _folder(plan.data)
    file = data / "history.jsonl"
    phases.say(f"all data go to {data}, and stay there")
    vendors = Vendors(known=running(data) is None)
    settings = settings.model_copy(update={"webhook_secrets": {**settings.webhook_secrets, **vendors.secrets}})
    inventing = asyncio.create_task(asyncio.to_thread(_invent, plan, now, file))
    async with AsyncExitStack() as stack:
        with phases.phase("starting up, simulating meanwhile"):
            target = await stack.enter_async_context(attach(_telling_nobody(settings), data))
            client = await stack.enter_async_context(await target.clickhouse())
            await _want_empty(client, data)
            ids = await schema_ids(settings)
            company = await inventing
        counted = await _send(company, file, target, ids=ids, phases=phases, vendors=vendors)
        with phases.phase("landing") as step:
            await wait_until_landed(
                target.kafka_url,
                client,
                timeout=LANDING_SECONDS,
                alerts=True,
                progress=lambda _, done, total: step(done, total),
            )
        with phases.phase("auditing"):
            audited = await audit(target.kafka_url, client, ids=ids)
        with phases.phase("asking ClickHouse"):
            found = await find(client)
            views = await _views(client, company, settings)
    return Outcome(
        company=company,
        counted=counted,
        found=found,
        views=views,
        judgement=judge(views.scores, company.leavers, company.gone),
        problems=problems(counted, found, company, audited.ok),
        seconds=time.monotonic() - began,
        phases=phases.seconds,
        data=data,
    )


def _folder(wanted: Path | None) -> Path:
    """The folder of the run, made if need be. Raises ConfigurationError when it cannot be."""
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="touchline-demo-"))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{wanted} cannot be used as a data folder: {error.strerror}") from error
    return wanted.resolve()


def _invent(plan: Plan, now: datetime, file: Path) -> Company:
    """Simulate the company and write its history as JSON Lines."""
    company = simulate(plan.customers, plan.touchpoints, plan.seed, now)
    file.write_bytes(msgspec.json.Encoder().encode_lines(company.history))
    return company


async def _want_empty(client: Client, data: Path) -> None:
    found = await find(client)
    if found.ledger_rows or found.dead_letters:
        raise UsageError(
            f"{data} already holds {found.landed} touchpoints, which the demo would mix with its own: "
            "leave --data out, or name an empty folder"
        )


async def _send(  # noqa: PLR0913 (what it works on and by, each once)
    company: Company, file: Path, target: Target, *, ids: Ids, phases: Phases, vendors: Vendors
) -> Counted:
    """History as a file, the last days over HTTP as they would have come in, mistakes and webhooks among them."""
    if target.collector_url is None or target.write_key is None:
        raise ConfigurationError(f"the stack on {target.data} has no collector: stop it, or choose another folder")
    with phases.phase("importing the history") as step:
        imported = await backfill(file, target.kafka_url, now=_milliseconds(company.now), progress=step, ids=ids)
    webhooks, others = vendors.share(company.live, {event["event_id"] for event in company.history})
    requests = spread(webhooks, batches(spread(others, company.bad), target.write_key))
    with phases.phase("posting the last days over HTTP") as step:
        posted = await post(target.collector_url, requests, step)
    return Counted(
        sent=len(company.history) + len(company.live) + len(company.bad),
        accepted=imported.accepted + posted.accepted,
        rejected=imported.rejected + posted.rejected,
        webhooks=len(webhooks),
    )


def spread(events: Sequence[T], among: Sequence[T]) -> list[T]:
    """Both, each in its order, the few spread evenly among the many."""
    placed = [((at + 0.5) / len(events), event) for at, event in enumerate(events)]
    placed += [((at + 0.5) / len(among), event) for at, event in enumerate(among)]
    return [event for _, event in sorted(placed, key=itemgetter(0))]


def _telling_nobody(settings: Settings) -> Settings:
    """The settings without anybody to be told of alerts: these customers do not exist."""
    return settings.model_copy(update={"alerts": None})


async def _views(client: Client, company: Company, settings: Settings) -> Views:
    pages = scoring.stored(client, _milliseconds(company.now), load_model(settings.risk_model))
    return Views(
        journey_map=await client.query(sql.query("demo_journey_map")),
        channels=await client.query(sql.query("demo_channels")),
        scores=await scoring.highest(pages),
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
