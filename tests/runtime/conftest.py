"""Settings of the tests below."""

from hypothesis import HealthCheck, settings

# A busy machine is no failure: a time limit for one example would only make the run unreliable.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
