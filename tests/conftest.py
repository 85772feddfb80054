"""Fixtures: sites to write and build, and a folder of real articles."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import settings
from sites import Site

from newsgen.builder import plugins, render, theme
from newsgen.builder.theme import Theme

# The same examples in every run. HYPOTHESIS_PROFILE=default tries new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


_COMPILE, _FIND = jinja2.Environment.compile, Theme._find_references


def _of_a_plugin(function: Any) -> bool:
    return getattr(function, "__globals__", {}).get("__name__") == plugins.__name__


@pytest.fixture(scope="session", autouse=True)
def _one_compiler() -> Iterator[None]:
    """Each template is searched and compiled once per process, which is nine tenths of the build of a small site."""
    compiled: dict[tuple[Any, ...], Any] = {}
    found: dict[str, theme.References] = {}

    def compile_once(self: Any, source: Any, name: Any = None, filename: Any = None, *rest: Any, **more: Any) -> Any:
        if not isinstance(self, render._Environment) or any(map(_of_a_plugin, self.filters.values())):
            return _COMPILE(self, source, name, filename, *rest, **more)
        # Phrases and the results of filters on constants are compiled in.
        linked = [self.filters["asset"](link) for link in re.findall(r"""["']([^"']+)["'] \| asset""", source)]
        language = self.locale.language, self.locale.phrases
        key = (source, name, filename, self.filters["absolute"]("/"), language, *linked)
        if key not in compiled:
            compiled[key] = _COMPILE(self, source, name, filename, *rest, **more)
        return compiled[key]

    def find_once(self: Any, source: str, name: str) -> theme.References:
        if source not in found:
            found[source] = _FIND(self, source, name)
        return found[source]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        patch.setattr(Theme, "_find_references", find_once)
        yield


@pytest.fixture(scope="module", autouse=True)
def _short_collections() -> None:
    """Objects of earlier modules, above all templates, are not searched for garbage again: a sixth of the time of all tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def each_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every build compiles its templates, as outside tests."""
    monkeypatch.setattr(jinja2.Environment, "compile", _COMPILE)
    monkeypatch.setattr(Theme, "_find_references", _FIND)


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


LONGEST = (
    "test_incremental.py",
    "test_soak.py",
    "test_bench.py",
    "test_week.py",
    "test_hostile.py",
    "test_similarity.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each process begins with some of the longest tests: at the end, one would run them while others have nothing to do.

    `--dist worksteal` gives the processes equal parts of the tests, in order.
    """
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = sorted((item for item in items if item.path.name in LONGEST), key=lambda i: LONGEST.index(i.path.name))
    rest = [item for item in items if item.path.name not in LONGEST]
    total, items[:] = len(items), []
    for number in range(count):
        first = longest[number::count]
        size = max((total - len(items)) // (count - number) - len(first), 0)
        items += first + rest[:size]
        del rest[:size]
    items += rest
