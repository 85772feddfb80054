"""Collects file system events into batches. A batch says that something changed, not what."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable
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

from newsgen import files
from newsgen.preview.behindlinks import BehindLinks, contents, place

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
    """Watches content, templates, static files, catalogues, plugins and `site.toml`.

    Includes folders that are created or moved later. Follows symbolic links: to folders, to files in them, and links
    that are switched. With `poll`, compares the files at intervals, for network mounts, which send no events.
    """

    def __init__(self, site: Path, content: Path, *, poll: bool = False) -> None:
        self._site = site.absolute()
        folders = ("templates", "static", "locale", "plugins")
        self._inputs = [content.absolute(), *(self._site / name for name in folders)]
        self._config_file = self._site / "site.toml"
        self._folders: frozenset[str] = frozenset()
        """The folders of the inputs, each by its real path and by its path in the site's folder."""
        self._config_files: tuple[str, ...] = ()
        self._template_folders: tuple[str, ...] = ()
        self._changed = threading.Event()
        self._watches: dict[str, ObservedWatch] = {}
        self._replaced: set[str] = set()
        self._observer: BaseObserver = PollingObserver(timeout=0.5) if poll else Observer()
        self._behind_links = BehindLinks(self._on_change_behind)

    def __enter__(self) -> Watch:
        self._sync_watches()
        self._observer.start()
        self._behind_links.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._behind_links.stop()
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
            for path in paths:
                if isinstance(event, DirCreatedEvent | DirMovedEvent) or Path(path).is_symlink():
                    self._add_links(path)
            self._changed.set()

    def _on_change_behind(self, path: str) -> None:
        """Called when something behind a link has changed."""
        if Path(path) in (self._site, *self._inputs):
            self._replaced.add(os.path.realpath(path))
        self._changed.set()

    def _is_input(self, path: str) -> bool:
        """Whether a path is an input of the build or a folder that holds inputs. Builds write none of these."""
        return path in self._config_files or _is_in(path, self._folders)

    def _sync_watches(self) -> None:
        """Starts watching folders that exist now and stops watching those that are gone or were replaced."""
        site = os.path.realpath(self._site)
        real = [os.path.realpath(path) for path in self._inputs]
        links = [f"{site}{os.sep}{path.name}" for path in self._inputs if path.parent == self._site]
        self._folders = frozenset([*real, *links])
        self._template_folders = real[1], f"{site}{os.sep}templates"
        self._config_files = str(self._config_file), f"{site}{os.sep}{self._config_file.name}"
        wanted = {folder: folder != site for folder in (site, *real) if Path(folder).is_dir()}
        # An event from here on belongs to the next batch.
        replaced, self._replaced = self._replaced, set()
        for folder in self._watches.keys() & (replaced | (self._watches.keys() - wanted.keys())):
            with contextlib.suppress(KeyError, OSError):
                self._observer.unschedule(self._watches.pop(folder))
            self._behind_links.remove_below(folder)
        for folder, recursive in wanted.items():
            if folder not in self._watches:
                with contextlib.suppress(OSError):
                    self._watches[folder] = self._observer.schedule(
                        self, folder, recursive=recursive, event_filter=_EVENT_TYPES
                    )
                if recursive:
                    self._add_links(folder)
        for path in (self._site, *self._inputs):
            # The site's folder is watched. It sends an event if a real folder in it is replaced.
            if os.path.realpath(path) != str(path) or path.parent != self._site != path:
                self._behind_links.add(str(path), place)
        if self._config_file.is_symlink():
            self._behind_links.add(str(self._config_file))

    def _add_links(self, path: str) -> None:
        # Templates are found in folders behind links; in content and static files such folders are errors.
        self._behind_links.add_all(path, contents if _is_in(path, self._template_folders) else files.stamp)


def _is_in(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of these folders or below one."""
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)
