"""Imports as a whole: withdrawn, none of their touchpoints counts; restored, all of them count again.

The touchpoints stay where they landed, so that the audit still finds every one; views and rebuilds pass them over. A
touchpoint that came by several ways belongs to the one it came by first.
"""

from __future__ import annotations

from pipeline.customer import Rules
from pipeline.errors import UsageError
from pipeline.rebuild import Outcome, Progress, Selection, rebuild_customers
from sinks import sql
from sinks.clickhouse import Client


async def _state(clickhouse: Client, import_id: str) -> tuple[bool, bool]:
    """Whether anything of an import has landed, and whether it is withdrawn."""
    [(known, withdrawn)] = await clickhouse.query(sql.query("import_state"), {"import_id": import_id})
    return bool(known), bool(withdrawn)


async def set_withdrawn(  # noqa: PLR0913 (what it works on, each once)
    kafka_url: str,
    clickhouse: Client,
    import_id: str,
    withdrawn: bool,
    *,
    rules: Rules,
    progress: Progress = lambda *_: None,
) -> Outcome:
    """Withdraw or restore an import, and rebuild every customer it touched; doing so again does no harm.

    Raises UsageError for an import of which nothing has landed, and what `rebuild_customers` raises.
    """
    known, _ = await _state(clickhouse, import_id)
    if not known:
        raise UsageError(f"no touchpoint of import {import_id!r} has landed: touchline imports list names them")
    await clickhouse.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [(import_id, withdrawn)])
    return await rebuild_customers(kafka_url, clickhouse, Selection(import_id=import_id), rules, progress)


async def take_in(
    kafka_url: str, clickhouse: Client, import_id: str, rules: Rules, progress: Progress = lambda *_: None
) -> Outcome:
    """What ends a backfill: customers whose touchpoints came late are rebuilt; a withdrawn import counts again.

    Nothing to do where nothing of the import has landed, and raises what `rebuild_customers` raises.
    """
    _, withdrawn = await _state(clickhouse, import_id)
    if withdrawn:
        return await set_withdrawn(kafka_url, clickhouse, import_id, False, rules=rules, progress=progress)
    return await rebuild_customers(kafka_url, clickhouse, Selection(import_id=import_id, late=True), rules, progress)
