"""What tests are given: sites to write and build, and real articles where there are any."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sites import Site


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
