"""What a target is, and what all of them share: tries, messages without secrets."""

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

Tell = Callable[[str, int, int], None]
"""Says how far a step is: its name, done, of how many."""


class Sent(msgspec.Struct, kw_only=True):
    """What travelled: files and their bytes, `requests` where the target counts them."""

    files: int = 0
    bytes: int = 0
    requests: int = 0


class Target(Protocol):
    """A place that readers see. Every method raises PublishError; what it says holds no secret.

    `form` is how it wants its files: as objects with headers, beside their compressed copies, or as they are.
    """

    name: str
    form: str

    def look(self, files: Mapping[str, File]) -> State:
        """What stands there, of which these files are wanted. Changes nothing."""
        ...

    def lock(self) -> None:
        """Keeps other publishers away until `release`. Raises where one is at work."""
        ...

    def publish(self, plan: Plan, tell: Tell) -> Sent:
        """Brings a plan about. Readers see, at any moment and whatever fails, no page that leads to what is missing."""
        ...

    def rollback(self, now: Release) -> None:
        """Goes back to the release before the one that `look` said is there."""
        ...

    def release(self) -> None:
        """Lets others publish, where `lock` was called, whatever became of it."""
        ...


TRIES = 6
_BASE, _LONGEST = 0.3, 10.0


def retried(call: Callable[[], T], passing: Callable[[Exception], bool]) -> T:
    """The result of a call that is made again after each failure that is `passing`, at most `TRIES` times in all.

    The pauses grow exponentially, with full jitter, so that many callers do not come back at the same moment.
    """
    for attempt in range(TRIES):
        try:
            return call()
        except Exception as error:
            if attempt == TRIES - 1 or not passing(error):
                raise
        time.sleep(random.uniform(0, min(_LONGEST, _BASE * 2**attempt)))  # noqa: S311  no secret hangs on it
    raise AssertionError


_SECRET = re.compile(r"SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|_KEY|KEY_ID|SAS|APIKEY", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+@|(?<=https://)[^/\s@]+@|(?<=http://)[^/\s@]+@")
_QUERY = re.compile(r"(?i)\b(sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token)=[^&\s\"']+")


def redacted(text: str) -> str:
    """A message without any value that the environment has under a name for secrets, or that an address carries."""
    for value in sorted({v for n, v in os.environ.items() if _SECRET.search(n) and len(v) >= 6}, key=len, reverse=True):
        text = text.replace(value, "[secret]")
    return _QUERY.sub(r"\1=[secret]", _IN_URL.sub("[secret]@", text))


@contextlib.contextmanager
def discreet() -> Iterator[None]:
    """Takes the secrets out of what is raised, and makes one kind of error of it."""
    try:
        yield
    except PublishError as error:
        raise PublishError(*(redacted(str(problem)) for problem in error.problems)) from None
    except OSError as error:
        what = error.strerror or str(error).partition("\n")[0]
        raise PublishError(redacted(f"{error.filename}: {what}" if error.filename else what)) from None


def busy(name: str, more: str = "") -> PublishError:
    """What to say where another publisher is at work."""
    return PublishError(f"{name}: another publish is at work here; wait until it is done{more}")
