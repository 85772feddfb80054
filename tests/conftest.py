"""What tests are given: sites to write and build, and real articles where there are any."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from sites import Site

# The same examples in every run; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Site]:
    """Makes a site from a string; a second one in the same test takes a name."""

    def make(text: str = "", name: str = "site") -> Site:
        return Site(tmp_path / name).add(text)

    return make


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real articles that NEWSGEN_DATA names."""
    named = os.environ.get("NEWSGEN_DATA")
    if not named:
        pytest.skip("NEWSGEN_DATA is not set: there are no real articles to test against")
    return Path(named)
