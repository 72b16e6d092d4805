"""What an installation hands on to its roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.local.installation import passed_on
from pipeline.settings import Settings


def test_a_role_reads_the_settings_that_the_installation_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(session_timeout_seconds=6.0, chunk_records=500, data=Path("shop"), compression="lz4")
    variables = passed_on(given)
    assert len(variables) == 4
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings() == given
