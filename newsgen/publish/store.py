"""Requests to an object store through obstore, with retries and with newsgen's own errors."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from newsgen.errors import PublishError
from newsgen.publish.address import Address
from newsgen.publish.target import retried

if TYPE_CHECKING:
    from obstore.store import ObjectStore

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 16
"""Concurrent requests."""

Version = dict[str, str]
"""Identifies a version of an object, as far as the store does: an ETag, a version id."""

_MARK_KEY = "newsgen"
# S3 deletes at most 1,000 objects in one request, Azure 256.
_DELETE_BATCH = 250
_ENDPOINTS = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"), "az": ("AZURE_STORAGE_ENDPOINT",)}
_TRANSIENT = ("408", "429", "500", "502", "503", "504")
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]*)</Code>\s*(?:<Message>([^<]*)</Message>)?")


class ConditionFailed(Exception):  # noqa: N818  a result, not an error
    """A conditional write failed: the object exists already or has another version."""


class Store:
    """The objects at an address. Every method raises PublishError, or FileNotFoundError if an object does not exist."""

    def __init__(self, address: Address) -> None:
        self.name = address.label
        self.requests = 0
        self._counting = threading.Lock()
        try:
            import obstore
            from obstore import exceptions
        except ImportError:
            raise PublishError(f'{self.name}: buckets need obstore; run pip install "newsgen[publish]"') from None
        self._obstore = obstore
        self._errors = exceptions
        try:
            self._store = _open(address)
        except exceptions.BaseError as error:
            raise self._as_publish_error(error) from None

    def sizes(self) -> dict[str, int]:
        """The size of every object in bytes, by path."""

        def rows() -> dict[str, int]:
            found = {}
            for number, chunk in enumerate(self._obstore.list(self._store, chunk_size=1000)):
                if number:
                    self._count_request()
                found.update({row["path"]: row["size"] for row in chunk})
            return found

        return self._request(rows)

    def get(self, path: str) -> bytes:
        """The content of an object."""
        return bytes(self._request(lambda: self._obstore.get(self._store, path).bytes()))

    def mark(self, path: str) -> str:
        """The mark in an object's metadata, "" if it has none."""
        found = self._request(lambda: self._obstore.get(self._store, path, options={"head": True}))
        return str(found.attributes.get(_MARK_KEY, ""))

    def put(self, path: str, data: bytes, headers: Mapping[str, str] | None = None, mark: str = "") -> None:
        """Writes an object with its headers and mark."""
        attributes = {**(headers or {}), **({_MARK_KEY: mark} if mark else {})}
        self._request(lambda: self._obstore.put(self._store, path, data, attributes=attributes, use_multipart=False))

    def put_if(self, path: str, data: bytes, version: Version | None) -> Version | None:
        """Writes an object if its version is still `version`, or with None if there is none. Returns the new version.

        Returns None if the store does not support conditional writes. Raises ConditionFailed.
        """
        mode: Any = version or "create"
        errors = self._errors
        try:
            put = self._request(lambda: self._obstore.put(self._store, path, data, mode=mode, use_multipart=False))
        except (errors.AlreadyExistsError, errors.PreconditionError, FileNotFoundError):
            raise ConditionFailed from None
        except errors.NotSupportedError:
            return None
        return _version(put)

    def version(self, path: str) -> Version:
        """The current version of an object."""
        return _version(self._request(lambda: self._obstore.head(self._store, path)))

    def copy(self, source: str, place: str) -> None:
        """Copies an object within the store, with its metadata."""
        self._request(lambda: self._obstore.copy(self._store, source, place))

    def remove(self, paths: Iterable[str]) -> None:
        """Removes objects. Missing ones are no error."""
        all_paths = list(paths)
        for start in range(0, len(all_paths), _DELETE_BATCH):
            batch = all_paths[start : start + _DELETE_BATCH]
            try:
                self._request(lambda batch=batch: self._obstore.delete(self._store, batch))  # type: ignore[misc]
            except FileNotFoundError:
                for path in batch:
                    with contextlib.suppress(FileNotFoundError):
                        self._request(lambda path=path: self._obstore.delete(self._store, path))  # type: ignore[misc]

    def map_unordered(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Runs `work` on items concurrently. Yields items and results as they finish; stops at the first error."""
        with ThreadPoolExecutor(WORKERS) as pool:
            futures = {pool.submit(work, item): item for item in items}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _count_request(self) -> None:
        with self._counting:
            self.requests += 1

    def _request(self, call: Callable[[], T]) -> T:
        def counted() -> T:
            self._count_request()
            return call()

        errors = self._errors
        try:
            return retried(counted, self._is_transient)
        except (FileNotFoundError, errors.AlreadyExistsError, errors.PreconditionError, errors.NotSupportedError):
            raise
        except (errors.BaseError, OSError, ValueError) as error:
            raise self._as_publish_error(error) from None

    def _is_transient(self, error: Exception) -> bool:
        status = _STATUS.search(str(error))
        return isinstance(error, self._errors.GenericError) and (not status or status[1] in _TRANSIENT)

    def _as_publish_error(self, error: Exception) -> PublishError:
        text = str(error).partition("\n\nDebug source")[0]
        status, code = _STATUS.search(text), _CODE.search(text)
        message = ": ".join(filter(None, code.groups())).partition("\n")[0] if code else ""
        message = message or text.rpartition(" - ")[2].replace("\n", " ")[:200]
        refused = isinstance(error, self._errors.PermissionDeniedError | self._errors.UnauthenticatedError)
        if refused or (status and status[1] in ("401", "403")):
            message += "; check the credentials in the environment and their permissions"
        elif not status:
            message += "; check the address, the endpoint in the environment and the network"
        return PublishError(f"{self.name}: {status[1] + ' ' if status else ''}{message}")


def _version(found: Mapping[str, Any]) -> Version:
    return {name: found[name] for name in ("e_tag", "version") if found.get(name)}


def _open(address: Address) -> ObjectStore:
    """The store at an address, configured from the environment."""
    from obstore.store import AzureStore, S3Store

    endpoint = next((os.environ[n] for n in _ENDPOINTS[address.scheme] if os.environ.get(n)), "")
    options: dict[str, Any] = {
        "prefix": address.prefix or None,
        # `_request` retries instead. It counts requests and retries all kinds.
        "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=60)},
        "client_options": {
            "timeout": "60s",
            "connect_timeout": "10s",
            "user_agent": "newsgen",
            # As in the providers' own tools, an http:// endpoint is allowed if configured explicitly.
            "allow_http": endpoint.startswith("http://"),
        },
    }
    return (S3Store if address.scheme == "s3" else AzureStore)(address.place, **options)
