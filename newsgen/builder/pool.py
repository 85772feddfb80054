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

    from newsgen.builder.executor import RemoteExecutor

BATCH = 250
"""The number of files read, or pages rendered, per task."""

MIN_ITEMS = 750
"""The number of files or pages from which starting worker processes pays off."""

T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Worker processes, started on first use. `jobs` counts this process too; by default there is one per processor.

    An `executor` takes their place. If it is remote, its workers may not see the files of this machine.
    """

    def __init__(self, jobs: int | None, executor: Executor | None) -> None:
        self._external = executor
        self._remote = _remote(executor)
        self._jobs = jobs
        self._internal: Executor | None = None
        self._pending: deque[tuple[Future[Any], Callable[[Any], None]]] = deque()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._internal:
            self._internal.shutdown(cancel_futures=True)

    def pays_off(self, batches: int) -> bool:
        """Whether workers finish this many batches sooner than this process alone."""
        if self._remote is None and (self._external or (self._jobs or 0) > 1):
            return batches > 1
        has_workers = self._remote is not None or (self._jobs is None and _processors() > 1)
        return has_workers and batches * BATCH >= MIN_ITEMS

    @property
    def is_running(self) -> bool:
        """Whether workers are already running."""
        return self._remote.is_connected if self._remote else bool(self._external or self._internal)

    @property
    def is_remote(self) -> bool:
        """Whether workers may be on other machines."""
        return self._remote is not None

    def sees(self, file: str) -> bool:
        """Whether workers see this file of this machine. If so, tasks may name it and the files around it."""
        return self._remote is None or self._remote.sees(file)

    @property
    def _workers(self) -> int:
        """The number of other processes."""
        return self._remote.workers if self._remote else max(1, (self._jobs or _processors()) - 1)

    @property
    def is_saturated(self) -> bool:
        """Whether the workers have enough queued tasks, so that this process should do the next one itself."""
        while self._pending and self._pending[0][0].done():
            self._receive()
        queued = sum(not future.done() for future, _ in self._pending)
        return self.is_running and (self._remote or self._internal) is not None and queued >= 2 * self._workers

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

    def map(
        self,
        function: Callable[[T], R],
        work: list[T],
        newest: Callable[[list[T]], str] = lambda _: "",
        with_bytes: Callable[[T], T] = lambda task: task,
    ) -> Iterator[R]:
        """The results in the order of the work; computed in this process if workers do not pay off.

        `newest` returns the file of the work that was changed last. Workers that do not see it get tasks `with_bytes`.
        """
        if not self.pays_off(len(work)):
            yield from map(function, work)
            return
        sees_files = self.sees(newest(work))
        done: deque[R] = deque()
        for task in work:
            if self.is_saturated:
                self._run_here(function, task, done.append)
            else:
                self.submit(function, task if sees_files else with_bytes(task), done.append)
            while done:
                yield done.popleft()
        self.finish()
        yield from done


def _remote(executor: Executor | None) -> RemoteExecutor | None:
    if executor is None:
        return None
    from newsgen.builder.executor import RemoteExecutor  # imported late: few builds have one

    return executor if isinstance(executor, RemoteExecutor) else None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _init_worker(parent: int) -> None:
    """Sets up a worker: it has no garbage collector, because hardly any cycles are made, and exits with its parent."""
    gc.disable()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
