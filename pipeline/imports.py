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


async def is_withdrawn(clickhouse: Client, import_id: str) -> bool:
    """Whether an import is withdrawn. Raises UsageError for one of which nothing has landed."""
    [(known, withdrawn)] = await clickhouse.query(sql.query("import_state"), {"import_id": import_id})
    if not known:
        raise UsageError(f"no touchpoint of import {import_id!r} has landed: touchline imports list names them")
    return bool(withdrawn)


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
    await is_withdrawn(clickhouse, import_id)
    await clickhouse.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [(import_id, withdrawn)])
    return await rebuild_customers(kafka_url, clickhouse, Selection(import_id=import_id), rules, progress)


async def take_in(
    kafka_url: str, clickhouse: Client, import_id: str, rules: Rules, progress: Progress = lambda *_: None
) -> Outcome:
    """What ends a backfill: customers whose touchpoints came late are rebuilt; a withdrawn import counts again.

    Nothing to do where nothing of the import has landed, and raises what `rebuild_customers` raises.
    """
    [(known, withdrawn)] = await clickhouse.query(sql.query("import_state"), {"import_id": import_id})
    if known and withdrawn:
        return await set_withdrawn(kafka_url, clickhouse, import_id, False, rules=rules, progress=progress)
    return await rebuild_customers(kafka_url, clickhouse, Selection(import_id=import_id, late=True), rules, progress)
