"""Settings of the whole test run."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code; speed
# is measured in tests/bench.
settings.register_profile("starcite", deadline=None)
settings.load_profile("starcite")
