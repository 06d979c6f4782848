"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("project", deadline=None)  # no test is judged by its time
settings.load_profile("project")
