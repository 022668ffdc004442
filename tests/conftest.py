"""What all tests share: property tests have no deadline, for speed belongs in benchmarks/."""

from hypothesis import settings

settings.register_profile("tilth", deadline=None)
settings.load_profile("tilth")
