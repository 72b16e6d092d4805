"""One traffic for all fault tests, and what it comes to where nothing happens."""

from __future__ import annotations

import pytest

from tests.fault.picture import Picture, assert_audited, assert_plain, picture
from tests.fault.sending import loaded, supervised
from tests.traffic import Traffic, traffic

CUSTOMERS, FILED, LIVE, SEED = 1_500, 45_000, 15_000, 31


@pytest.fixture(scope="session")
def company() -> Traffic:
    """What all fault tests send."""
    return traffic(CUSTOMERS, FILED, LIVE, SEED)


@pytest.fixture(scope="session")
async def undisturbed(company: Traffic, tmp_path_factory: pytest.TempPathFactory) -> Picture:
    """The traffic in an installation that nothing happens to."""
    data = tmp_path_factory.mktemp("undisturbed") / "stack"
    async with supervised(data) as installation:
        async with loaded(data, installation.endpoints.extra, company) as load:
            load.hurry.set()
        assert load.failed == []
        await assert_audited(data)
        calm = await picture(data, company.as_of)
    assert_plain(calm, company)
    return calm
