"""Collects file system events into batches. A batch says that something changed, not what."""

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
"""Seconds without an event that end a batch. An editor's save is several events within a few milliseconds."""

MAX_BATCH = 0.5
"""Seconds after which a batch ends even if events keep coming."""

_EVENT_TYPES: list[type[FileSystemEvent]] = [
    DirCreatedEvent, DirDeletedEvent, DirModifiedEvent, DirMovedEvent,
    FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileModifiedEvent, FileMovedEvent,
]  # fmt: skip
"""The events to ask for. Builds open and read files all the time, so opened and closed-without-write are left out."""


class Watch(FileSystemEventHandler):
    """Watches content, templates, static files and `site.toml`, including folders that are created or moved later.

    With `poll`, compares the files at intervals, for network mounts, which send no events.
    """

    def __init__(self, site: Path, content: Path, *, poll: bool = False) -> None:
        self._site = site.resolve()
        self._config_file = str(self._site / "site.toml")
        self._folders = [str(content.resolve()), str(self._site / "templates"), str(self._site / "static")]
        self._changed = threading.Event()
        self._watches: dict[str, ObservedWatch] = {}
        self._replaced: set[str] = set()
        self._observer: BaseObserver = PollingObserver(timeout=0.5) if poll else Observer()

    def __enter__(self) -> Watch:
        self._observer.schedule(self, str(self._site), recursive=False, event_filter=_EVENT_TYPES)
        self._sync_watches()
        self._observer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._observer.stop()
        self._observer.join()

    def wait(self) -> None:
        """Blocks until a batch of changes is complete."""
        self._changed.wait()
        end = time.monotonic() + MAX_BATCH
        while self._changed.is_set() and time.monotonic() < end:
            self._changed.clear()
            self._changed.wait(QUIET)
        self._changed.clear()
        # Watch new folders before the build reads anything, so that later changes in them are events.
        self._sync_watches()

    @property
    def has_changes(self) -> bool:
        """Whether a new batch of changes has started."""
        return self._changed.is_set()

    def wait_for_change(self, seconds: float) -> bool:
        """Whether a new batch starts within `seconds`. Blocks until it does or the time is over."""
        return self._changed.wait(seconds)

    def trigger(self) -> None:
        """Starts a batch, as a change on disk would."""
        self._changed.set()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog's thread for each event."""
        if type(event) not in _EVENT_TYPES:
            return
        paths = {os.fsdecode(p) for p in (event.src_path, event.dest_path) if p}
        if any(self._is_input(path) for path in paths):
            # A new folder may reuse the inode of the old one, so only the event shows that it was replaced.
            if event.event_type in ("moved", "deleted"):
                self._replaced.update(paths.intersection(self._folders))
            self._changed.set()

    def _is_input(self, path: str) -> bool:
        """Whether a path is an input of the build or a folder that holds inputs. Builds write none of these."""
        return path == self._config_file or any(
            path == folder or path.startswith(folder + os.sep) for folder in self._folders
        )

    def _sync_watches(self) -> None:
        """Starts watching folders that exist now and stops watching those that are gone or were replaced."""
        for folder in self._folders:
            exists, replaced = Path(folder).is_dir(), folder in self._replaced
            # An event from here on belongs to the next batch.
            self._replaced.discard(folder)
            if folder in self._watches and (replaced or not exists):
                with contextlib.suppress(KeyError, OSError):
                    self._observer.unschedule(self._watches.pop(folder))
            if exists and folder not in self._watches:
                with contextlib.suppress(OSError):
                    self._watches[folder] = self._observer.schedule(
                        self, folder, recursive=True, event_filter=_EVENT_TYPES
                    )
