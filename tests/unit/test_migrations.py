"""The .sql files, and what the runner makes of them."""

from __future__ import annotations

import re

import pytest

from pipeline.errors import ConfigurationError
from schemas.block import landing_schema
from schemas.contracts import SUBJECTS, history
from sinks import sql
from sinks.migrate import rendered

MIGRATIONS = sql.names("migrations")
VIEWS = sql.names("views")


def all_statements(folder: str) -> list[str]:
    return [statement for name in sql.names(folder) for statement in sql.statements(sql.read(folder, name))]


def test_migrations_are_numbered_each_once() -> None:
    numbers = [int(name[:4]) for name in MIGRATIONS]
    assert numbers == sorted(set(numbers))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.sql", name) for name in MIGRATIONS)


def test_every_statement_can_run_twice() -> None:
    assert all("IF NOT EXISTS" in statement or "IF EXISTS" in statement for statement in all_statements("migrations"))
    assert all("CREATE OR REPLACE VIEW" in statement for statement in all_statements("views"))


def test_a_query_or_a_view_may_hold_the_select_of_a_view() -> None:
    assert sql.select_of("visits").startswith("SELECT\n    customer_id,\n    visit_id,")
    assert sql.select_of("visits").endswith("FROM visits_log FINAL\nWHERE NOT withdrawn")
    assert sql.query("front_contacts").startswith(sql.select_of("person_contacts") + "\nSETTINGS ")
    assert sql.select_of("person_touches") in sql.select_of("person_contacts")
    with pytest.raises(ValueError, match="not enough values"):
        sql.select_of("nothing")


def test_nothing_names_a_view_that_is_not_there() -> None:
    for folder in ("queries", "views"):
        for name in sql.names(folder):
            assert "/*select" not in sql.read(folder, name)


def test_a_statement_ends_with_a_semicolon_at_the_end_of_a_line() -> None:
    text = "-- a; comment\nSELECT ';' AS one;\n\nSELECT 2 ;  \n"
    assert sql.statements(text) == ("-- a; comment\nSELECT ';' AS one", "SELECT 2")


def test_every_field_that_a_block_brings_has_its_column() -> None:
    tables = "\n".join(all_statements("migrations"))
    for subject in SUBJECTS:
        [table] = [part for part in tables.split("CREATE TABLE IF NOT EXISTS ") if part.startswith(f"{subject}_log")]
        columns = set(re.findall(r"^    (\w+) ", table, re.MULTILINE))
        for added in [part for part in tables.split("ALTER TABLE ") if part.startswith(f"{subject}_log")]:
            columns |= set(re.findall(r"^    ADD COLUMN IF NOT EXISTS (\w+) ", added, re.MULTILINE))
        for contract in history(subject):
            assert {field["name"] for field in landing_schema(contract)["fields"]} <= columns


@pytest.mark.parametrize("folder", ["migrations", "views"])
def test_a_cluster_makes_every_table_replicated_on_all_its_servers(folder: str) -> None:
    for statement in all_statements(folder):
        one, many = rendered(statement, None), rendered(statement, "main")
        assert one == statement
        assert "ON CLUSTER `main`" in many
        assert not re.search(r"ENGINE = (?!Replicated)", many)
        assert "/*" not in many


def test_a_cluster_with_a_strange_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="TOUCHLINE_CLICKHOUSE_CLUSTER"):
        rendered("CREATE TABLE x /*on_cluster*/", "a` b")
