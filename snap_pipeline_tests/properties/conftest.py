"""Fixtures of property tests: one lake for all examples of a test."""

import pytest

from snap_pipeline_tests.properties.hour import Hours


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Hours:
    """Return the runner of examples, one after the other."""
    return Hours(tmp_path_factory.mktemp("hours"))
