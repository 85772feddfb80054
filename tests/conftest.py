"""Fixtures: sites to write and build, and a folder of real articles."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from sites import Site

# The same examples in every run. HYPOTHESIS_PROFILE=default tries new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """Creates a site from a string. A second site in the same test needs another name."""

    def make(text: str = "", name: str = "site") -> Site:
        return Site(tmp_path / name).add(text)

    return make


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real articles, from NEWSGEN_DATA. Skips the test if it is not set."""
    named = os.environ.get("NEWSGEN_DATA")
    if not named:
        pytest.skip("NEWSGEN_DATA is not set: no real articles to test with")
    return Path(named)


LONGEST = ("test_incremental.py", "test_soak.py", "test_bench.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the longest tests: at the end, one process would run them while the other has nothing left to do."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
