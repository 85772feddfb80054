"""Fixtures for all kinds of targets. Servers start once per session; each test gets a target of its own."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import places
import pytest
from places import Place, Proxy

_numbers = itertools.count()
KINDS = ("folder", "git", "ssh", "s3", "azure")


@pytest.fixture(scope="session")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places")


@pytest.fixture(scope="session")
def seaweed(top: Path) -> Iterator[str]:
    with places.seaweed(top / "seaweed") as store:
        yield store


@pytest.fixture(scope="session")
def azurite(top: Path) -> Iterator[str]:
    with places.azurite(top / "azurite") as store:
        yield store


@pytest.fixture(scope="session")
def sshd(top: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with places.sshd(top / "sshd") as found:
        yield found


@pytest.fixture
def s3(seaweed: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[places.S3, Proxy]]:
    """A prefix of a bucket behind a proxy, which passes every request on unless a test changes it."""
    with places.proxied(seaweed) as (endpoint, proxy):
        place = places.S3(seaweed, f"part-{next(_numbers)}", places.s3_env(endpoint))
        for name, value in place.env.items():
            monkeypatch.setenv(name, value)
        yield place, proxy
        place.web.close()


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of each kind in turn."""
    with contextlib.ExitStack() as stack:
        found: Place
        if request.param == "folder":
            found = stack.enter_context(places.folder(tmp_path / "www"))
        elif request.param == "git":
            found = places.Pages(tmp_path / "pages.git")
        elif request.param == "ssh":
            begin, env = request.getfixturevalue("sshd")
            root = tmp_path / "srv" / "a site's folder"
            found = stack.enter_context(places.folder(root, f"{begin}{root}", env))
        elif request.param == "s3":
            found, _ = request.getfixturevalue("s3")
        else:
            store = request.getfixturevalue("azurite")
            found = places.Azure(store, f"part-{next(_numbers)}", places.azure_env(store))
            stack.callback(found.web.close)
        for name, value in found.env.items():
            monkeypatch.setenv(name, value)
        yield found
