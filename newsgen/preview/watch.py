"""Changes on disk become batches: the events of the file system say that something happened, never what."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.polling import PollingObserver

QUIET = 0.02
"""Seconds without an event after which a batch is whole: an editor's save is several events within a few ms."""

LONGEST = 0.5
"""Seconds after which a batch is taken as whole, whatever still happens."""

_CHANGES: list[type[FileSystemEvent]] = [
    DirCreatedEvent, DirDeletedEvent, DirModifiedEvent, DirMovedEvent,
    FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent,
]  # fmt: skip
"""What is asked of the file system: not that files are opened and read, which builds do all the time."""


class Watch(FileSystemEventHandler):
    """Watches a site's content, templates, static files and site.toml, also where they come, go or are moved later.

    `poll` looks for changes again and again, for network mounts, which send no events.
    """

    def __init__(self, site: Path, content: Path, *, poll: bool = False) -> None:
        self._site = site.resolve()
        self._toml = str(self._site / "site.toml")
        self._trees = [str(content.resolve()), str(self._site / "templates"), str(self._site / "static")]
        self._stirred = threading.Event()
        self._held: dict[str, ObservedWatch] = {}
        self._replaced: set[str] = set()
        self._observer: BaseObserver = PollingObserver(timeout=0.5) if poll else Observer()

    def __enter__(self) -> Watch:
        self._observer.schedule(self, str(self._site), recursive=False, event_filter=_CHANGES)
        self._hold()
        self._observer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._observer.stop()
        self._observer.join()

    def wait(self) -> None:
        """Waits for a batch of changes."""
        self._stirred.wait()
        end = time.monotonic() + LONGEST
        while self._stirred.is_set() and time.monotonic() < end:
            self._stirred.clear()
            self._stirred.wait(QUIET)
        self._stirred.clear()
        # Before anything is read: what comes into a new folder from now on is an event.
        self._hold()

    @property
    def is_stirred(self) -> bool:
        """Whether a batch of changes has begun."""
        return self._stirred.is_set()

    def stirs(self, seconds: float) -> bool:
        """Whether a batch of changes begins within so many seconds."""
        return self._stirred.wait(seconds)

    def stir(self) -> None:
        """Begins a batch, as a change on disk does."""
        self._stirred.set()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Takes note of what the file system says."""
        if type(event) not in _CHANGES:
            return
        paths = {os.fsdecode(p) for p in (event.src_path, event.dest_path) if p}
        if any(self._is_input(path) for path in paths):
            # A folder that is made anew may have the old one's inode: only its going tells.
            if event.event_type in ("moved", "deleted"):
                self._replaced.update(paths.intersection(self._trees))
            self._stirred.set()

    def _is_input(self, path: str) -> bool:
        """Whether a path is one of a site's files, or of the folders that hold them: nothing that a build writes."""
        return path == self._toml or any(path == top or path.startswith(top + os.sep) for top in self._trees)

    def _hold(self) -> None:
        """Watches the folders that are there now, and no longer those that were there before."""
        for top in self._trees:
            stands, replaced = Path(top).is_dir(), top in self._replaced
            # Said again from here on, it is for the next batch.
            self._replaced.discard(top)
            if top in self._held and (replaced or not stands):
                with contextlib.suppress(KeyError, OSError):
                    self._observer.unschedule(self._held.pop(top))
            if stands and top not in self._held:
                with contextlib.suppress(OSError):
                    self._held[top] = self._observer.schedule(self, top, recursive=True, event_filter=_CHANGES)
