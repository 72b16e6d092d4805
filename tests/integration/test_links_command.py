"""The commands on short links: what they print, and how they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.link_tokens import Signer
from tests.command import touchline
from tests.integration.test_links import KEY, LINKS


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "links.toml"
    path.write_text(LINKS)
    public = "https://go.shop.example/"
    return {
        "TOUCHLINE_LINKS": str(path),
        "TOUCHLINE_LINK_KEY": f"{KEY},another-older-key",
        "TOUCHLINE_LINK_URL": public,
    }


async def test_list(settings: dict[str, str]) -> None:
    found = (await touchline("links", "list", "--json", **settings)).json()
    assert [(each["code"], each["kind"], each["expires"]) for each in found] == [
        ("spring", "link", None),
        ("poster", "qr", None),
        ("winter", "link", "2020-03-01T00:00:00Z"),
    ]
    table = (await touchline("links", "list", **settings)).output
    assert "http://shop.example:8080" in table and "https://go.shop.example/l/poster" in table


async def test_check(settings: dict[str, str], tmp_path: Path) -> None:
    assert (await touchline("links", "check", **settings)).status == 0
    broken = tmp_path / "broken.toml"
    content = LINKS + '[links.a]\ntarget = "x"\n[links.b]\n'
    broken.write_text(content)
    answer = await touchline("links", "check", "--file", str(broken), **settings)
    assert answer.status == 1
    assert "links.a.target must begin" in answer.errors and "links.b.target: field required" in answer.errors
    found = (await touchline("links", "check", "--json", "--file", str(broken), **settings)).json()
    assert (found["links"], [each["path"] for each in found["problems"]]) == (3, ["links.a.target", "links.b.target"])


async def test_url(settings: dict[str, str]) -> None:
    assert (await touchline("links", "url", "spring", **settings)).output == "https://go.shop.example/l/spring\n"
    printed = (await touchline("links", "url", "spring", "--customer", "ada", **settings)).output.strip()
    address, _, token = printed.partition("?c=")
    assert address == "https://go.shop.example/l/spring"
    assert Signer(KEY).customer("spring", token) == "ada"


@pytest.mark.parametrize(
    ("words", "changed", "says"),
    [
        (["sprin"], {}, "try spring"),
        (["winter"], {}, "links.winter.expires"),
        (["spring", "--customer", "anon:ada"], {}, "--customer"),
        (["spring", "--customer", "ada"], {"TOUCHLINE_LINK_KEY": ""}, "TOUCHLINE_LINK_KEY"),
        (["spring"], {"TOUCHLINE_LINK_URL": "go.shop.example"}, "TOUCHLINE_LINK_URL"),
        (["spring", "--file", "/nowhere"], {}, "/nowhere cannot be read"),
    ],
)
async def test_url_refused(settings: dict[str, str], words: list[str], changed: dict[str, str], says: str) -> None:
    answer = await touchline("links", "url", *words, **{**settings, **changed})
    assert (answer.status, answer.output) == (2, "")
    assert says in answer.errors and len(answer.errors.splitlines()) == 1
