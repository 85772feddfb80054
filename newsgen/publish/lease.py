"""An object that says who publishes: taken under a condition, renewed by a thread, free when nobody renews it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import msgspec

from newsgen.errors import PublishError
from newsgen.publish.store import Store, Taken, Version
from newsgen.publish.target import busy
from newsgen.text import digest_bytes

LEASE = 120.0
"""Seconds after which a lock that nobody renews is free."""


class _Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, as `_who` names them; `until` is a time in seconds since 1970."""

    who: str
    until: float


class Lease:
    """A lock in a store. Where the store knows no conditional writes, nobody is kept away."""

    def __init__(self, store: Store, path: str, site: Path) -> None:
        self._store = store
        self._path = path
        self._who = _who(site)
        self._version: Version | None = None
        self._lost = False
        self._renewing = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def take(self) -> None:
        """Raises PublishError where another publisher has it."""
        try:
            try:
                self._version = self._store.put_if(self._path, self._held(), None)
            except Taken:
                holder = self._holder()
                # Our own is one that a killed publish left: only one at a time publishes from a folder.
                if holder and holder.who != self._who and holder.until > time.time():
                    wait = int(holder.until - time.time()) + 1
                    raise busy(self._store.name, f"; if it was killed, its lock is free in {wait} s") from None
                self._version = self._store.put_if(self._path, self._held(), self._store.version(self._path))
        except (Taken, FileNotFoundError):
            raise busy(self._store.name) from None
        if self._version is not None:
            self._thread.start()

    def check(self, *, now: bool = False) -> None:
        """Raises PublishError where the lock is not ours any more; with `now` the store is asked."""
        if now and self._version is not None:
            self._renew()
        if self._lost:
            raise PublishError(
                f"{self._store.name}: another publisher took the lock, or it could not be renewed; run again"
            )

    def free(self) -> None:
        """Lets others have it. Where that fails they wait until its time is over."""
        if self._version is None:
            return
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(PublishError):
            self.check(now=True)
            self._store.remove([self._path])
        self._version = None

    def _held(self) -> bytes:
        return msgspec.json.encode(_Holder(self._who, time.time() + LEASE))

    def _holder(self) -> _Holder | None:
        try:
            return msgspec.json.decode(self._store.get(self._path), type=_Holder)
        except (msgspec.DecodeError, FileNotFoundError):
            return None

    def _renew(self) -> None:
        with self._renewing:
            try:
                self._version = self._store.put_if(self._path, self._held(), self._version)
            except Taken:
                # The answer to an earlier renewal may have been lost on its way.
                holder = self._holder()
                if holder is None or holder.who != self._who:
                    self._lost = True
                    return
                self._version = self._store.version(self._path)

    def _keep(self) -> None:
        renewed = time.monotonic()
        while not self._over.wait(LEASE / 4) and not self._lost:
            try:
                self._renew()
                renewed = time.monotonic()
            except (PublishError, FileNotFoundError):
                self._lost = time.monotonic() - renewed > LEASE / 2


def _who(site: Path) -> str:
    """This folder on this machine since it was started: a name that no copy of the folder has elsewhere."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = ""
    return digest_bytes("\0".join((socket.gethostname(), boot, str(site.resolve()))).encode()).hex()
