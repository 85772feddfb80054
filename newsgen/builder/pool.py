"""Work is done here, or in other processes through any `concurrent.futures.Executor`."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

BATCH = 250
"""Files that are read, or pages that are rendered, in one go."""

MANY = 1500
"""So many of them are worth a second process."""

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Other processes, begun when there is work for them; with this one they are `jobs`, by default one a processor."""

    def __init__(self, jobs: int | None, executor: Executor | None) -> None:
        self._given = executor
        self._jobs = jobs
        self._own: Executor | None = None
        self._waiting: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()
        self._others = max(1, (jobs or _processors()) - 1)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._own.shutdown(cancel_futures=True)

    def is_worth(self, batches: int) -> bool:
        """Whether so many batches are better done by others."""
        if self._given or (self._jobs or 0) > 1:
            return batches > 1
        return self._jobs is None and _processors() > 1 and batches * BATCH >= MANY

    @property
    def runs(self) -> bool:
        """Whether others have begun to work already."""
        return bool(self._given or self._own)

    @property
    def has_enough(self) -> bool:
        """Whether the others have work for a while, so that a piece more is better done here."""
        while self._waiting and self._waiting[0][0].done():
            self._receive()
        due = sum(not future.done() for future, _ in self._waiting)
        return self._own is not None and due >= 2 * self._others

    def submit(self, function: Callable[[T], R], piece: T, done: Callable[[R], None]) -> None:
        """Has a piece of work done elsewhere; `done` gets what comes of it, in the order of the pieces.

        Few are under way at a time, as what waits is memory.
        """
        self._waiting.append((self._executor.submit(function, piece), done))
        if len(self._waiting) > 4 * (self._others + 1):
            self._receive()

    def finish(self) -> None:
        """Waits for all that is under way."""
        while self._waiting:
            self._receive()

    def _receive(self) -> None:
        future, done = self._waiting.popleft()
        done(future.result())

    def _here(self, function: Callable[[T], R], piece: T, done: Callable[[R], None]) -> None:
        """Does a piece of work in this process, in its place among the others."""
        from concurrent.futures import Future

        made: Future[R] = Future()
        made.set_result(function(piece))
        self._waiting.append((made, done))

    @property
    def _executor(self) -> Executor:
        if self._given:
            return self._given
        if self._own is None:
            from concurrent.futures import ProcessPoolExecutor

            self._own = ProcessPoolExecutor(self._others, initializer=_begin, initargs=(os.getpid(),))
        return self._own

    def map(self, function: Callable[[T], R], work: list[T]) -> Iterator[R]:
        """The results in the order of the work; made here where others are not worth it."""
        if not self.is_worth(len(work)):
            yield from map(function, work)
            return
        done: deque[R] = deque()
        for piece in work:
            give = self._here if self.has_enough else self.submit
            give(function, piece, done.append)
            while done:
                yield done.popleft()
        self.finish()
        yield from done


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(parent: int) -> None:
    """A worker makes no cycles, and does not outlive a build that was killed."""
    gc.disable()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
