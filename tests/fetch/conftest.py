"""Fixtures: a server of feeds on loopback, and clients that may connect to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from feedserver import FeedServer

from newsgen.fetch.network.client import Client


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


@pytest.fixture
def client(server: FeedServer) -> Iterator[Callable[..., Client]]:
    """Makes clients for which the hosts of `server` are public."""
    clients: list[Client] = []

    def make(**settings: object) -> Client:
        clients.append(Client(**{"allow": ["127.0.0.0/8"], "resolve": server.resolve, **settings}))  # type: ignore[arg-type]
        return clients[-1]

    yield make
    for made in clients:
        made.close()
