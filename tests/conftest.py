"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("touchline", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.load_profile("touchline")
"""How fast an example is depends on what else the machine does: no test fails for that."""
