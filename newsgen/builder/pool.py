"""Runs work in this process, or in worker processes through any `concurrent.futures.Executor`."""

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
"""The number of files read, or pages rendered, per task."""

MIN_ITEMS = 1500
"""The number of files or pages from which starting worker processes pays off."""

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Worker processes, started on first use. `jobs` counts this process too; by default there is one per processor."""

    def __init__(self, jobs: int | None, executor: Executor | None) -> None:
        self._external = executor
        self._jobs = jobs
        self._internal: Executor | None = None
        self._pending: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()
        self._workers = max(1, (jobs or _processors()) - 1)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._internal:
            self._internal.shutdown(cancel_futures=True)

    def pays_off(self, batches: int) -> bool:
        """Whether workers finish this many batches sooner than this process alone."""
        if self._external or (self._jobs or 0) > 1:
            return batches > 1
        return self._jobs is None and _processors() > 1 and batches * BATCH >= MIN_ITEMS

    @property
    def is_running(self) -> bool:
        """Whether workers are already running."""
        return bool(self._external or self._internal)

    @property
    def is_saturated(self) -> bool:
        """Whether the workers have enough queued tasks, so that this process should do the next one itself."""
        while self._pending and self._pending[0][0].done():
            self._receive()
        queued = sum(not future.done() for future, _ in self._pending)
        return self._internal is not None and queued >= 2 * self._workers

    def submit(self, function: Callable[[T], R], task: T, done: Callable[[R], None]) -> None:
        """Runs a task in a worker. `done` is called with its result, in the order of submission.

        Blocks when many tasks are pending, because pending tasks use memory.
        """
        self._pending.append((self._executor.submit(function, task), done))
        if len(self._pending) > 4 * (self._workers + 1):
            self._receive()

    def finish(self) -> None:
        """Waits for all pending tasks."""
        while self._pending:
            self._receive()

    def _receive(self) -> None:
        future, done = self._pending.popleft()
        done(future.result())

    def _run_here(self, function: Callable[[T], R], task: T, done: Callable[[R], None]) -> None:
        """Runs a task in this process; its result keeps its place in the order."""
        from concurrent.futures import Future

        future: Future[R] = Future()
        future.set_result(function(task))
        self._pending.append((future, done))

    @property
    def _executor(self) -> Executor:
        if self._external:
            return self._external
        if self._internal is None:
            from concurrent.futures import ProcessPoolExecutor

            self._internal = ProcessPoolExecutor(self._workers, initializer=_init_worker, initargs=(os.getpid(),))
        return self._internal

    def map(self, function: Callable[[T], R], work: list[T]) -> Iterator[R]:
        """The results in the order of the work; computed in this process if workers do not pay off."""
        if not self.pays_off(len(work)):
            yield from map(function, work)
            return
        done: deque[R] = deque()
        for task in work:
            run = self._run_here if self.is_saturated else self.submit
            run(function, task, done.append)
            while done:
                yield done.popleft()
        self.finish()
        yield from done


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _init_worker(parent: int) -> None:
    """Sets up a worker: turns off the cycle collector (there are no cycles), and exits when the parent dies."""
    gc.disable()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
