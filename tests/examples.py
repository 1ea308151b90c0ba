"""How many examples a property is tried with: a few seeded ones in `make test`, more in `make properties`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings


def properties(few: int) -> settings:
    """Settings of a property: `few` seeded examples, or as many random ones as `LIENTHONG_EXAMPLES` says."""
    many = int(os.environ.get("LIENTHONG_EXAMPLES", "0"))
    return settings(
        max_examples=many or few,
        derandomize=not many,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
