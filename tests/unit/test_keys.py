"""Write keys: what they may be made for, where they are good, and how a collector follows their file."""

from __future__ import annotations

import json
import stat
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.collector import key_file
from pipeline.collector.intake import Intake
from pipeline.collector.key_watch import LOOK_SECONDS, KeyWatch
from pipeline.collector.keys import Key, Keys, keys_of_setting
from pipeline.collector.new_key import Wish, make, origin_of
from pipeline.collector.pieces import Piece
from pipeline.collector.refusal import Refusal
from pipeline.errors import ConfigurationError, UsageError
from pipeline.settings import Settings
from tests.command import touchline

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP = "https://shop.example"


def bearer(secret: str) -> str:
    return f"Bearer {secret}"


def basic(user: str, password: str = "") -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def made(**wish: Any) -> tuple[str, Key]:
    return make(Wish("a name", **wish), NOW)


def refusal(keys: Keys, authorization: str | None, origin: str | None = None, *, public: bool = True) -> Refusal:
    with pytest.raises(Refusal) as raised:
        keys.check(authorization, origin, public=public)
    return raised.value


def test_a_key_is_random_and_only_its_hash_is_kept() -> None:
    (first, kept), (second, _) = made(), made(public=True, app=True)
    assert first.startswith("wk_") and second.startswith("pk_") and len(first) == 46
    assert first not in repr(kept) and kept.last4 == first[-4:]
    assert Keys([kept]).check(bearer(first), None) == kept


@pytest.mark.parametrize("present", [bearer, basic, lambda key: basic(key, "any"), lambda key: f"bearer  {key} "])
def test_a_key_is_presented_as_bearer_or_as_the_user_of_basic(present: Any) -> None:
    secret, key = made()
    assert Keys([key]).check(present(secret), None) == key


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "key_missing"),
        ("", "key_missing"),
        ("Bearer ", "key_missing"),
        ("Digest x", "key_missing"),
        ("Basic ***", "key_missing"),
        (basic("", "password"), "key_missing"),
        (basic("wk_other"), "key_unknown"),
        ("Bearer wk_other", "key_unknown"),
        ("Bearer \xff", "key_unknown"),
    ],
)
def test_what_is_no_known_key_is_401(authorization: str | None, code: str) -> None:
    said = refusal(Keys([made()[1]]), authorization)
    assert (said.status, said.code, said.key_id) == (401, code, "")
    assert said.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_past_key_is_401_and_is_counted_as_its_own() -> None:
    secret, key = make(Wish("short", expires_at=NOW + timedelta(days=1)), NOW)
    assert [key.status(NOW + timedelta(hours=hours)) for hours in (23, 24)] == ["active", "expired"]
    said = refusal(Keys([key]), bearer(secret))  # the clock is past that day
    assert (said.status, said.code, said.key_id) == (401, "key_expired", key.id)


def test_a_public_key_is_good_for_its_origins_and_apps_only() -> None:
    secret, key = made(public=True, origins=(SHOP,))
    keys = Keys([key])
    assert keys.check(bearer(secret), SHOP, public=True) == key
    for origin in (None, "null", "https://shop.example.evil", "http://shop.example", "https://SHOP.example"):
        said = refusal(keys, bearer(secret), origin)
        assert (said.status, said.code, said.key_id) == (403, "origin", key.id)
    assert refusal(keys, bearer(secret), SHOP, public=False).code == "key_public"
    assert keys.origins == {SHOP}
    in_app, app = made(public=True, app=True)
    assert Keys([app]).check(bearer(in_app), None, public=True) == app
    assert refusal(Keys([app]), bearer(in_app), SHOP).status == 403


def test_scopes_are_what_was_asked_for_and_all_without() -> None:
    _, key = made(channels=("phone", "email", "phone"), sources=("segment",))
    assert key.channels == ("phone", "email")
    assert [key.allows_source("segment"), key.allows_source("http")] == [True, False]
    _, free = made()
    assert free.channels == ()
    assert free.allows_source("http")
    _, public = made(public=True, app=True)
    assert set(public.channels) == {"web", "mobile_app", "link"}


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"channels": ("phon",)}, "try phone"),
        ({"public": True, "app": True, "channels": ("phone",)}, "web, mobile_app, link"),
        ({"public": True}, "--origin"),
        ({"public": True, "app": True, "sources": ("segment",)}, "--source"),
        ({"origins": (SHOP,)}, "--public"),
        ({"app": True}, "--public"),
        ({"sources": ("Seg ment",)}, "--source"),
        ({"expires_at": NOW}, "--expires"),
        ({"rate": float("inf")}, "--rate"),
        ({"rate": float("nan")}, "--rate"),
        *(
            ({"public": True, "origins": (bad,)}, "--origin")
            for bad in (
                "",
                "null",
                "*",
                "https://*.a",
                "a.example",
                "ftp://a",
                "https://a/b",
                "https://u@a",
                "https://[",
            )
        ),
    ],
)
def test_a_wish_that_cannot_be_says_what_to_do(wish: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        made(**wish)


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        (" HTTPS://Shop.Example/ ", SHOP),
        ("https://shop.example:443", SHOP),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(written: str, origin: str) -> None:
    assert origin_of(written) == origin


def test_keys_of_the_setting_are_good_for_everything() -> None:
    first, second = keys_of_setting(" one , ,two")
    assert (first.id, second.id, first.rate) == ("env-1", "env-2", float("inf"))
    assert Keys([first, second]).check("Bearer two", "https://anywhere.example") == second


def event(channel: Any, touchpoint: str, **fields: Any) -> bytes:
    known = {"customer_id": "c", "occurred_at": "2026-03-01T12:00:00Z", "channel": channel, "touchpoint": touchpoint}
    return json.dumps({**known, **fields}).encode()


def test_an_event_out_of_scope_is_refused_alone_whatever_else_is_wrong_with_it() -> None:
    sent = [
        event("web", "page_view"),
        event("phone", "complaint"),
        event("phone", "complaint", occurred_at="yesterday"),
        event("\ud800", "x"),
        event(7, "x"),
        event("web", "page_view", occurred_at="yesterday"),
    ]
    pieces = [Piece(index, raw) for index, raw in enumerate(sent)]
    now = int(NOW.timestamp() * 1000)
    taken = Intake().take(pieces, now, "http", channels=("web", "link"))
    assert (len(taken.accepted), taken.channels) == (1, {"web": 1})
    found = [(index, each.errors[0].code, each.errors[0].path) for index, each in taken.refused]
    assert found[:3] == [(index, "not_allowed", "channel") for index in (1, 2, 3)]
    assert found[3:] == [(4, "type", "channel"), (5, "time_format", "occurred_at")]
    assert "phone" in taken.refused[0][1].errors[0].message and "web, link" in taken.refused[0][1].errors[0].message
    assert len(Intake().dead_letters(taken.refused, now, "http")) == 5


def keep(path: Path, *keys: Key) -> None:
    key_file.write(path, keys)


def test_the_file_is_the_owners_alone_and_comes_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = (made(rate=0.5, burst=3)[1], made(public=True, origins=(SHOP,), expires_at=NOW + timedelta(1))[1])
    keep(path, *keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file.read(path) == keys
    assert list(tmp_path.iterdir()) == [path]


def test_a_running_collector_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    (old, first), (new, second) = made(), made(public=True, origins=(SHOP,))
    watch = KeyWatch((), path)
    assert refusal(watch.current(0), bearer(old)).code == "key_unknown"
    keep(path, first)
    assert refusal(watch.current(LOOK_SECONDS / 2), bearer(old)).code == "key_unknown", "it looks once a second"
    assert watch.current(LOOK_SECONDS).check(bearer(old), None) == first
    keep(path, first, second)
    assert watch.current(9).check(bearer(new), SHOP, public=True) == second


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not a file of keys"),
        ("{", "not a file of keys"),
        ("[" * 100_000, "not a file of keys"),
        ('{"version": 2, "keys": []}', "version"),
        ('{"version": 1, "keys": [{"id": "a"}]}', "keys"),
        (None, "cannot be read"),
    ],
)
def test_a_broken_file_leaves_the_keys_as_they_were(
    tmp_path: Path, content: str | None, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.json"
    secret, key = made()
    keep(path, key)
    watch = KeyWatch((), path)
    assert not watch.current(0).check(bearer(secret), None).public
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
        with pytest.raises(ConfigurationError, match=r"keys\.json"):
            KeyWatch((), path)
    for now in (5, 6, 7):
        assert watch.current(now).check(bearer(secret), None) == key
    assert watch.broken
    assert [says in record.message for record in caplog.records] == [True], "said once, not every second"
    keep(path)
    assert refusal(watch.current(8), bearer(secret)).code == "key_unknown"
    assert not watch.broken


def test_a_file_that_cannot_be_read_for_a_while_is_read_afterwards(tmp_path: Path) -> None:
    """What stands in the way need not leave a mark on the file itself."""
    path, away = tmp_path / "keys.json", tmp_path / "elsewhere"
    keep(path, made()[1])
    watch = KeyWatch((), path)
    path.rename(away)
    path.mkdir()
    watch.current(1)
    assert watch.broken
    path.rmdir()
    away.rename(path)
    watch.current(2)
    assert not watch.broken
    assert len(watch.keys) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"channels": ["web", "phone"]}, "may have no other"),
        ({"channels": []}, "needs channels"),
        ({"origins": []}, "needs an origin"),
        ({"rate": 0}, "rate"),
        ({"burst": 0}, "burst"),
        ({"sha256": "abc"}, "sha256"),
        ({"created_at": "2026-03-01T12:00:00"}, "created_at"),
    ],
)
def test_a_file_changed_by_hand_cannot_widen_a_public_key(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = tmp_path / "keys.json"
    keep(path, made(public=True, origins=(SHOP,))[1])
    content = json.loads(path.read_text())
    content["keys"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=says):
        key_file.read(path)


def test_without_any_key_and_file_a_collector_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="TOUCHLINE_WRITE_KEYS"):
        KeyWatch((), None)


def test_the_file_is_the_settings_or_the_stacks(tmp_path: Path) -> None:
    assert key_file.path_of(Settings(data=tmp_path)) == tmp_path / "write-keys.json"
    assert key_file.path_of(Settings(kafka_url="k:1"), tmp_path) == tmp_path / "write-keys.json"
    assert key_file.path_of(Settings(kafka_url="k:1", keys_file=tmp_path / "k"), tmp_path / "x") == tmp_path / "k"
    with pytest.raises(ConfigurationError, match="TOUCHLINE_KEYS_FILE"):
        key_file.path_of(Settings(kafka_url="k:1"))


async def test_the_commands_show_a_key_once_and_revoke_it(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path / "shop"))
    wanted = ("--name", "shop", "--public", "--origin", SHOP, "--rate", "50", "--expires", "90d", "--json")
    created = (await touchline("keys", "create", *wanted, *where)).json()
    secret = created.pop("key")
    assert (created["kind"], created["rate"], created["status"]) == ("public", 50, "active")
    shown = await touchline("keys", "list", *where)
    assert created["id"] in shown.output and secret[-4:] in shown.output and secret not in shown.output
    assert secret not in Path(created["file"]).read_text()  # noqa: ASYNC240
    for suffix in ("revoked", "revoked already"):
        answer = await touchline("keys", "revoke", created["id"], *where)
        assert (answer.status, answer.errors.strip().endswith(suffix)) == (0, True)
    assert [each["status"] for each in (await touchline("keys", "list", "--json", *where)).json()] == ["revoked"]
    said = refusal(Keys(key_file.read(Path(created["file"]))), bearer(secret), SHOP)
    assert (said.status, said.code) == (401, "key_revoked")
    unknown = await touchline("keys", "revoke", "key_0", *where)
    assert (unknown.status, unknown.errors.count("\n")) == (2, 1)
