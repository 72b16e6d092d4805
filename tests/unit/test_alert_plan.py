"""The file that says who is told: what it means, and that what is wrong with it is named without showing a secret."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.plan import read
from pipeline.alerts.policy import DAY, Policy
from tests.receiver import SECRET, WRITTEN_SECRET

WHOLE = f"""
[policy]
raise_at = "critical"
cooldown_days = 3
only_lasting = false
absence_hours = 36
[destinations.crm]
kind = "webhook"
url_env = "CRM_URL"
secret = "{WRITTEN_SECRET}"
give_up_hours = 2
[destinations.chat]
kind = "apprise"
url = "slack://token"
[[routes]]
destinations = ["crm", "chat"]
levels = ["critical"]
minimum_value = 99.5
digest_minutes = 15
quiet_hours = {{ from = "22:00", to = "07:00", zone = "Europe/Berlin" }}
"""


def test_a_whole_plan() -> None:
    plan, problems = read(WHOLE, {"CRM_URL": "https://crm.example/hook"})
    assert problems == ()
    assert plan.policy == Policy("critical", "medium", 3 * DAY, lasting=False, absence=36 * DAY // 24)
    crm = plan.destinations["crm"]
    assert (crm.url, crm.secret, crm.give_up) == ("https://crm.example/hook", SECRET, 7_200_000)
    assert "example" not in repr(plan)
    [route] = plan.routes
    assert (route.levels, route.minimum_value, route.digest) == ({"critical"}, 99.5, 900_000)
    assert route.quiet is not None
    assert (route.quiet.begin, route.quiet.end, route.quiet.critical_passes) == (time(22), time(7), False)


@pytest.mark.parametrize(
    ("before", "after", "path", "words"),
    [
        ('url_env = "CRM_URL"', "", "destinations.crm.url", "give one of"),
        ('url_env = "CRM_URL"', 'url_env = "NONE"', "destinations.crm.url_env", "the variable NONE is not set"),
        ('url_env = "CRM_URL"', 'url = "ftp://hidden"', "destinations.crm.url", "an address like"),
        (WRITTEN_SECRET, "hidden", "destinations.crm.secret", "write whsec_"),
        (WRITTEN_SECRET, "whsec_hidden", "destinations.crm.secret", "write whsec_"),
        ('["crm", "chat"]', '["crm"]', "destinations.chat", "named by no route"),
        ('["crm", "chat"]', '["crm", "chat", "nobody"]', "routes.0.destinations", "no table [destinations.nobody]"),
        ('levels = ["critical"]', 'levels = ["low"]', "routes.0.levels.0", "'high' or 'critical'"),
        ("Europe/Berlin", "Berlin", "routes.0.quiet_hours.zone", "no time zone"),
        ("22:00", "24:00", "routes.0.quiet_hours.from", "pattern"),
        ("digest_minutes", "digest", "routes.0.digest", "not known here"),
        ("[policy]", "[policy", "", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(before: str, after: str, path: str, words: str) -> None:
    assert before in WHOLE
    _, problems = read(WHOLE.replace(before, after, 1), {"CRM_URL": "https://crm.example/hook"})
    assert path in [each.path for each in problems]
    assert words in "; ".join(each.message for each in problems)
    assert "hidden" not in str(problems)


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=12), st.sampled_from(["url", "secret"]))
def test_no_problem_shows_an_address_or_a_secret(hidden: str, where: str) -> None:
    text = WHOLE.replace('url_env = "CRM_URL"', f'url = "{hidden}"') if where == "url" else WHOLE
    text = text.replace(WRITTEN_SECRET, hidden) if where == "secret" else text
    for broken in (text, text.replace("[[routes]]", "[[routes"), text.replace('kind = "webhook"', "kind = 5")):
        _, problems = read(broken, {})
        assert hidden not in str(problems)
