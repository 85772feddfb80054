"""Requests to an object store through obstore, tried again where that may help; what it says becomes our errors."""

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
"""Requests at a time."""

Version = dict[str, str]
"""What tells an object's state from all others, as far as the store says it: an ETag, a version."""

_MARK = "newsgen"
# The most that S3 (1,000) and Azure (256) take in one request.
_AT_ONCE = 250
_ENDPOINTS = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"), "az": ("AZURE_STORAGE_ENDPOINT",)}
_PASSING = ("408", "429", "500", "502", "503", "504")
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([^<]*)</Code>\s*(?:<Message>([^<]*)</Message>)?")


class Taken(Exception):  # noqa: N818  an answer, not a failure
    """What was to be written under a condition is there already, or is another."""


class Store:
    """The objects below an address. Every method raises PublishError, and FileNotFoundError where something is not there."""

    def __init__(self, address: Address) -> None:
        self.name = address.shown
        self.requests = 0
        self._counting = threading.Lock()
        try:
            import obstore
            from obstore import exceptions
        except ImportError:
            raise PublishError(f'{self.name}: buckets need the extra: pip install "newsgen[publish]"') from None
        self._obstore = obstore
        self._errors = exceptions
        try:
            self._store = _open(address)
        except exceptions.BaseError as error:
            raise self._failure(error) from None

    def sizes(self) -> dict[str, int]:
        """Every object there is, with its size in bytes."""

        def rows() -> dict[str, int]:
            found = {}
            for number, chunk in enumerate(self._obstore.list(self._store, chunk_size=1000)):
                if number:
                    self._count()
                found.update({row["path"]: row["size"] for row in chunk})
            return found

        return self._ask(rows)

    def get(self, path: str) -> bytes:
        """The bytes of an object."""
        return bytes(self._ask(lambda: self._obstore.get(self._store, path).bytes()))

    def mark(self, path: str) -> str:
        """The mark that an object carries as metadata, "" where it carries none."""
        found = self._ask(lambda: self._obstore.get(self._store, path, options={"head": True}))
        return str(found.attributes.get(_MARK, ""))

    def put(self, path: str, data: bytes, headers: Mapping[str, str] | None = None, mark: str = "") -> None:
        """Writes an object with what is to be kept with it."""
        attributes = {**(headers or {}), **({_MARK: mark} if mark else {})}
        self._ask(lambda: self._obstore.put(self._store, path, data, attributes=attributes, use_multipart=False))

    def put_if(self, path: str, data: bytes, version: Version | None) -> Version | None:
        """Writes an object where it is still the version given, or where None is there yet; gives its new version.

        None where the store knows no such conditions. Raises Taken.
        """
        mode: Any = version or "create"
        errors = self._errors
        try:
            put = self._ask(lambda: self._obstore.put(self._store, path, data, mode=mode, use_multipart=False))
        except (errors.AlreadyExistsError, errors.PreconditionError, FileNotFoundError):
            raise Taken from None
        except errors.NotSupportedError:
            return None
        return _version(put)

    def version(self, path: str) -> Version:
        """The version of an object."""
        return _version(self._ask(lambda: self._obstore.head(self._store, path)))

    def copy(self, source: str, place: str) -> None:
        """Copies an object within the store, with all that is kept with it."""
        self._ask(lambda: self._obstore.copy(self._store, source, place))

    def remove(self, paths: Iterable[str]) -> None:
        """Removes objects; those that are not there are no trouble."""
        due = list(paths)
        for at in range(0, len(due), _AT_ONCE):
            some = due[at : at + _AT_ONCE]
            try:
                self._ask(lambda some=some: self._obstore.delete(self._store, some))  # type: ignore[misc]
            except FileNotFoundError:
                for path in some:
                    with contextlib.suppress(FileNotFoundError):
                        self._ask(lambda path=path: self._obstore.delete(self._store, path))  # type: ignore[misc]

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Each item with what became of it, many at a time, as they are done. The first failure ends it."""
        with ThreadPoolExecutor(WORKERS) as pool:
            waiting = {pool.submit(work, item): item for item in items}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _count(self) -> None:
        with self._counting:
            self.requests += 1

    def _ask(self, call: Callable[[], T]) -> T:
        def counted() -> T:
            self._count()
            return call()

        errors = self._errors
        try:
            return retried(counted, self._may_pass)
        except (FileNotFoundError, errors.AlreadyExistsError, errors.PreconditionError, errors.NotSupportedError):
            raise
        except (errors.BaseError, OSError, ValueError) as error:
            raise self._failure(error) from None

    def _may_pass(self, error: Exception) -> bool:
        status = _STATUS.search(str(error))
        return isinstance(error, self._errors.GenericError) and (not status or status[1] in _PASSING)

    def _failure(self, error: Exception) -> PublishError:
        text = str(error).partition("\n\nDebug source")[0]
        status, code = _STATUS.search(text), _CODE.search(text)
        said = ": ".join(filter(None, code.groups())).partition("\n")[0] if code else ""
        said = said or text.rpartition(" - ")[2].replace("\n", " ")[:200]
        refused = isinstance(error, self._errors.PermissionDeniedError | self._errors.UnauthenticatedError)
        if refused or (status and status[1] in ("401", "403")):
            said += "; look at the credentials in the environment and at what they may do"
        elif not status:
            said += "; look at the address, the endpoint in the environment and the network"
        return PublishError(f"{self.name}: {status[1] + ' ' if status else ''}{said}")


def _version(found: Mapping[str, Any]) -> Version:
    return {name: found[name] for name in ("e_tag", "version") if found.get(name)}


def _open(address: Address) -> ObjectStore:
    """The store at an address, with what the environment says of it."""
    from obstore.store import AzureStore, S3Store

    endpoint = next((os.environ[n] for n in _ENDPOINTS[address.scheme] if os.environ.get(n)), "")
    given: dict[str, Any] = {
        "prefix": address.prefix or None,
        # Retries are ours: they count, and they spare no kind of request.
        "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=60)},
        "client_options": {
            "timeout": "60s",
            "connect_timeout": "10s",
            "user_agent": "newsgen",
            # As with the providers' own tools: who writes http:// into an endpoint wants it.
            "allow_http": endpoint.startswith("http://"),
        },
    }
    return (S3Store if address.scheme == "s3" else AzureStore)(address.place, **given)
