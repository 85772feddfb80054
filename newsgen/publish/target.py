"""The interface of a target, and what targets share: retries, and error messages without secrets."""

from __future__ import annotations

import contextlib
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

import msgspec

from newsgen.errors import PublishError
from newsgen.publish.files import File
from newsgen.publish.plan import Plan, Release, State

T = TypeVar("T")

OnProgress = Callable[[str, int, int], None]
"""Reports progress: the name of a step, items done, items in total."""


class Sent(msgspec.Struct, kw_only=True):
    """What was sent: the number of files, their bytes, and `requests` if the target counts them."""

    files: int = 0
    bytes: int = 0
    requests: int = 0


class Target(Protocol):
    """Where a site is published to. Every method raises PublishError; no message contains a secret.

    `layout` says which files the target takes: "objects" (with headers), "beside" (with compressed copies of the texts)
    or "plain".
    """

    name: str
    layout: str

    def inspect(self, files: Mapping[str, File]) -> State:
        """Reads the state of the target, given the files to publish. Changes nothing."""
        ...

    def lock(self) -> None:
        """Locks out other publishers until `release`. Raises PublishError if one holds the lock."""
        ...

    def publish(self, plan: Plan, on_progress: OnProgress) -> Sent:
        """Carries out a plan. At any moment, and even if it fails, no page that readers see links to a missing one."""
        ...

    def rollback(self, now: Release) -> None:
        """Goes back to the release before `now`, the one that `inspect` returned."""
        ...

    def release(self) -> None:
        """Ends `lock`, however the publish ended. Does nothing if `lock` was not called."""
        ...


TRIES = 6
_FIRST_PAUSE, _MAX_PAUSE = 0.3, 10.0


def retried(call: Callable[[], T], transient: Callable[[Exception], bool]) -> T:
    """Calls a function up to `TRIES` times, as long as its error is `transient`, and returns its result.

    Waits between tries with exponential backoff and full jitter, so that many callers do not retry at the same moment.
    """
    for attempt in range(TRIES):
        try:
            return call()
        except Exception as error:
            if attempt == TRIES - 1 or not transient(error):
                raise
        time.sleep(random.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2**attempt)))  # noqa: S311  not for security
    raise AssertionError


_SECRET = re.compile(r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|_KEY|KEY_ID|SAS|APIKEY", re.IGNORECASE)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+@|(?<=https://)[^/\s@]+@|(?<=http://)[^/\s@]+@")
_SIGNATURES = re.compile(r"(?i)\b(sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token)=[^&\s\"']+")


def redacted(text: str) -> str:
    """Replaces secrets in a message: values of environment variables with secret names, and credentials in URLs."""
    for value in sorted({v for n, v in os.environ.items() if _SECRET.search(n) and len(v) >= 6}, key=len, reverse=True):
        text = text.replace(value, "[secret]")
    return _SIGNATURES.sub(r"\1=[secret]", _CREDENTIALS.sub("[secret]@", text))


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Turns errors into PublishErrors whose messages contain no secrets."""
    try:
        yield
    except PublishError as error:
        raise PublishError(*(redacted(str(problem)) for problem in error.problems)) from None
    except OSError as error:
        what = error.strerror or str(error).partition("\n")[0]
        raise PublishError(redacted(f"{error.filename}: {what}" if error.filename else what)) from None


def locked_error(name: str, hint: str = "") -> PublishError:
    """The error for a target that another publisher has locked. `hint` is appended to the message."""
    return PublishError(f"{name}: another publish to this target is running; wait until it has finished{hint}")
