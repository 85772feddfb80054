"""A lock in a bucket: an object written conditionally, renewed by a thread, and free once nobody renews it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import msgspec

from newsgen.errors import PublishError
from newsgen.publish.store import ConditionFailed, Store, Version
from newsgen.publish.target import locked_error
from newsgen.text import digest_bytes

LEASE = 120.0
"""Seconds after which a lock that is not renewed is free."""


class _Holder(msgspec.Struct, frozen=True):
    """The holder of the lock, as named by `_publisher_id`, and `until`: Unix time at which the lock expires."""

    who: str
    until: float


class Lease:
    """A lock in a store. Without conditional writes, the store cannot lock anybody out."""

    def __init__(self, store: Store, path: str, site: Path) -> None:
        self._store = store
        self._path = path
        self._publisher_id = _publisher_id(site)
        self._version: Version | None = None
        self._lost = False
        self._renewing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_renewing, daemon=True)

    def take(self) -> None:
        """Takes the lock. Raises PublishError if another publisher holds it."""
        try:
            try:
                self._version = self._store.put_if(self._path, self._encoded(), None)
            except ConditionFailed:
                holder = self._holder()
                # If we are the holder, a killed publish left the lock: only one publish of a site runs on a machine.
                if holder and holder.who != self._publisher_id and holder.until > time.time():
                    wait = int(holder.until - time.time()) + 1
                    raise locked_error(self._store.name, f"; if it was killed, its lock expires in {wait} s") from None
                self._version = self._store.put_if(self._path, self._encoded(), self._store.version(self._path))
        except (ConditionFailed, FileNotFoundError):
            raise locked_error(self._store.name) from None
        if self._version is not None:
            self._thread.start()

    def check(self, *, now: bool = False) -> None:
        """Raises PublishError if the lock is lost. With `now`, renews it first."""
        if now and self._version is not None:
            self._renew()
        if self._lost:
            raise PublishError(
                f"{self._store.name}: lost the lock to another publisher, or could not renew it; run the publish again"
            )

    def free(self) -> None:
        """Releases the lock. If that fails, others wait until it expires."""
        if self._version is None:
            return
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(PublishError):
            self.check(now=True)
            self._store.remove([self._path])
        self._version = None

    def _encoded(self) -> bytes:
        return msgspec.json.encode(_Holder(self._publisher_id, time.time() + LEASE))

    def _holder(self) -> _Holder | None:
        try:
            return msgspec.json.decode(self._store.get(self._path), type=_Holder)
        except (msgspec.DecodeError, FileNotFoundError):
            return None

    def _renew(self) -> None:
        with self._renewing:
            try:
                self._version = self._store.put_if(self._path, self._encoded(), self._version)
            except ConditionFailed:
                # The response to an earlier renewal may have been lost.
                holder = self._holder()
                if holder is None or holder.who != self._publisher_id:
                    self._lost = True
                    return
                self._version = self._store.version(self._path)

    def _keep_renewing(self) -> None:
        renewed = time.monotonic()
        while not self._stop.wait(LEASE / 4) and not self._lost:
            try:
                self._renew()
                renewed = time.monotonic()
            except (PublishError, FileNotFoundError):
                self._lost = time.monotonic() - renewed > LEASE / 2


def _publisher_id(site: Path) -> str:
    """Identifies this folder on this machine since its last boot. A copy of the folder elsewhere has another id."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = ""
    return digest_bytes("\0".join((socket.gethostname(), boot, str(site.resolve()))).encode()).hex()
