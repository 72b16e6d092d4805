"""The commands `touchline identities ...` as a user runs them, on a real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.command import Answer, touchline
from tests.integration.identities_world import land, seen
from tests.integration.sinks_server import Server, database

Environment = dict[str, str]


@pytest.fixture(scope="module")
async def environment(engine: Server) -> AsyncIterator[Environment]:
    """The settings of an installation where a kiosk served ann and bob; the commands never look at Kafka."""
    async with database(engine) as client:
        await land(client, seen(1, 0, None, "kiosk"), seen(2, 5, "ann", "kiosk"), seen(3, 6, "bob", "kiosk"))
        yield {
            "TOUCHLINE_KAFKA_URL": "127.0.0.1:1",
            "TOUCHLINE_CLICKHOUSE_URL": engine.url,
            "TOUCHLINE_CLICKHOUSE_PASSWORD": engine.password,
        }


async def identities(environment: Environment, *words: str) -> Answer:
    return await touchline("identities", *words, **environment)


async def test_a_shared_device_is_found_settled_and_unsettled_again(environment: Environment) -> None:
    found = (await identities(environment, "list", "--ambiguous", "--json")).json()
    assert [(one["customer_id"], one["status"], one["shared_with"]) for one in found] == [
        ("ann", "ambiguous", ["bob"]),
        ("bob", "ambiguous", ["ann"]),
    ]
    answer = await identities(environment, "unlink", "kiosk", "bob", "--comment", "a guest")
    assert (answer.status, answer.errors) == (0, "kiosk (anonymous touchpoints: 1) is stitched to ann\n")
    assert (await identities(environment, "list", "--ambiguous", "--json")).json() == []
    [bob] = (await identities(environment, "list", "--customer", "bob", "--json")).json()
    assert (bob["status"], bob["comment"], bob["shared_with"]) == ("taken_back", "a guest", ["ann"])
    table = (await identities(environment, "list", "--anonymous", "kiosk")).output
    assert "taken_back" in table
    assert "a guest" in table
    answer = await identities(environment, "link", "kiosk", "bob")
    assert answer.status == 0
    assert "shared by ann, bob" in answer.errors
    [bob] = (await identities(environment, "list", "--customer", "bob", "--json")).json()
    assert (bob["status"], bob["asserted"], bob["comment"]) == ("ambiguous", True, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("unlink", "kiosk", "cid"), "kiosk is not linked to cid: it is linked to ann, bob"),
        (("unlink", "phone", "ann"), "phone is not linked to ann: it is linked to nobody"),
        (("link", "kiosk", "anon:kiosk"), "is an anonymous key"),
        (("link", "", "ann"), "ANONYMOUS must have 1 to 200 characters"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    environment: Environment, words: tuple[str, ...], said: str
) -> None:
    answer = await identities(environment, *words)
    assert (answer.status, answer.output) == (2, "")
    assert answer.errors.startswith("touchline: ")
    assert said in answer.errors
    assert answer.errors.count("\n") == 1


async def test_nothing_answers_is_said_in_one_line() -> None:
    answer = await touchline(
        *("identities", "list"), TOUCHLINE_KAFKA_URL="127.0.0.1:1", TOUCHLINE_CLICKHOUSE_URL="http://127.0.0.1:1"
    )
    assert answer.status == 1
    assert answer.errors.startswith("touchline: ClickHouse at http://127.0.0.1:1 did not answer")
    assert answer.errors.count("\n") == 1


@pytest.mark.parametrize("command", ["list", "unlink", "link"])
async def test_help_has_an_example(command: str) -> None:
    answer = await touchline("identities", command, "--help")
    assert answer.status == 0
    assert f"touchline identities {command}" in " ".join(answer.output.split())
