"""Brings a ClickHouse database to the state this version needs.

The files in migrations/ are applied once each, in their order, and never edited afterwards; the files in
views/ are created anew every time; what answers questions ahead (latest.py) is made where it is missing. Every
statement is idempotent by itself (IF NOT EXISTS, OR REPLACE), so running twice, being killed half-way and two
processes at once are all harmless: no lock is needed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from pipeline.catalogue import catalogue
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from sinks import latest, sql
from sinks.clickhouse import Client

_BOOKKEEPING = "0000_schema_migrations.sql"
_CATALOGUE_COLUMNS = (
    *("channel", "touchpoint", "stage", "direction", "medium", "ownership", "reach", "relationship"),
    *("cost_per_touch", "loaded_at"),
)


async def migrate(client: Client, settings: Settings) -> list[str]:
    """Apply what is missing and return the names of the migrations applied now.

    Raises ConfigurationError when a migration that was applied before has been changed since.
    """
    await _run(client, sql.query("create_database"), settings.clickhouse_cluster, {"database": client.database})
    for statement in sql.statements(sql.read("migrations", _BOOKKEEPING)):
        await _run(client, statement, settings.clickhouse_cluster)
    applied = await _applied(client)
    missing = [name for name in sql.names("migrations") if not _is_applied(name, applied)]
    for name in missing:
        for statement in sql.statements(sql.read("migrations", name)):
            await _run(client, statement, settings.clickhouse_cluster)
        await client.insert_rows("schema_migrations", ("name", "checksum"), [(name, checksum(name))])
    await _set_parameters(client, settings)
    await _load_catalogue(client)
    await _create_views(client, settings.clickhouse_cluster)
    for statement in latest.statements():
        await _run(client, statement, settings.clickhouse_cluster)
    return missing


def checksum(name: str) -> str:
    """Return the SHA-256 of a migration as written, before the cluster's name goes in."""
    return hashlib.sha256(sql.read("migrations", name).encode()).hexdigest()


def rendered(statement: str, cluster: str | None) -> str:
    """Render a statement for one server, or for replicated tables on all servers of a cluster.

    In the files the two places are comments, so that each file also runs as it stands.
    """
    if cluster is None:
        return statement
    if not cluster.replace("_", "").replace("-", "").isalnum():
        raise ConfigurationError(f"TOUCHLINE_CLICKHOUSE_CLUSTER: {cluster!r} is not a cluster's name")
    return statement.replace("/*on_cluster*/", f"ON CLUSTER `{cluster}`").replace("/*replicated*/", "Replicated")


async def _run(client: Client, statement: str, cluster: str | None, parameters: dict[str, str] | None = None) -> None:
    await client.command(rendered(statement, cluster), parameters, in_database=parameters is None)


async def _applied(client: Client) -> dict[str, str]:
    rows = await client.query(sql.query("applied_migrations"))
    return {str(name): str(digest) for name, digest in rows}


def _is_applied(name: str, applied: dict[str, str]) -> bool:
    if name in applied and applied[name] != checksum(name):
        raise ConfigurationError(
            f"migration {name} was changed after it had been applied: restore the file, "
            "and put the change into a new one"
        )
    return name in applied


async def _set_parameters(client: Client, settings: Settings) -> None:
    wanted = {
        "visit_gap_minutes": settings.visit_gap_minutes,
        "journey_gap_days": settings.journey_gap_days,
        "history_days": settings.history_days,
    }
    known: dict[str, int] = dict(await client.query(sql.query("parameters")))
    changed = [(name, value) for name, value in wanted.items() if known.get(name) != value]
    if changed:
        await client.insert_rows("parameters", ("name", "value"), changed)


async def _load_catalogue(client: Client) -> None:
    now = datetime.now(UTC)
    wanted = {
        (
            c.name,
            touchpoint,
            d.stage,
            d.direction,
            c.medium,
            c.ownership,
            c.reach,
            c.relationship,
            c.cost_per_touch,
        )
        for c, touchpoint, d in catalogue().rows()
    }
    if wanted != set(await client.query(sql.query("catalogue"))):
        await client.insert_rows("catalogue_log", _CATALOGUE_COLUMNS, [(*row, now) for row in sorted(wanted)])


async def _create_views(client: Client, cluster: str | None) -> None:
    for name in sql.names("views"):
        for statement in sql.statements(sql.read("views", name)):
            await _run(client, statement, cluster)
