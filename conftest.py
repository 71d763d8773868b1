"""Settings of all tests: hypothesis must not judge how fast a shared machine is, and CI runs the same examples each time."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# New examples are for those who can look at them; a failure found there becomes a test of its own.
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
