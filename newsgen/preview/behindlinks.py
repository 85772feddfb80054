"""Notices changes behind symbolic links: the system sends no events for what a link in a watched folder leads to."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from newsgen import files

INTERVAL = 0.1
"""Seconds between two looks behind all links; longer if a look takes more than a tenth of that."""

MAX_INTERVAL = 2.0
"""The most seconds between two looks: on a busy machine a look may take long by chance, and edits must not wait."""


class BehindLinks:
    """Compares what symbolic links lead to, at intervals. Calls `on_change` with the path of a link.

    Costs nothing while there are no links.
    """

    def __init__(self, on_change: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._seen: dict[str, tuple[Callable[[str], object], object]] = {}
        """How to look behind each link, and what was seen last."""
        self._has_links, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._closed.set()
        self._has_links.set()
        self._thread.join()

    def add(self, path: str, look: Callable[[str], object] = files.stamp) -> None:
        """Compares from now on what `look` returns for a path."""
        if path not in self._seen:
            self._seen[path] = look, look(path)
            self._has_links.set()

    def add_all(self, path: str, look: Callable[[str], object] = files.stamp) -> None:
        """Adds all links at a path and below it."""
        if Path(path).is_symlink():
            self.add(path, look)
            return
        folders = [path]
        while folders:
            with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        self.add(entry.path, look)
                    elif entry.is_dir():
                        folders.append(entry.path)

    def remove_below(self, folder: str) -> None:
        """Forgets all paths below a folder."""
        for path in tuple(self._seen):
            if path.startswith(folder + os.sep):
                self._seen.pop(path, None)

    def _run(self) -> None:
        while not self._closed.is_set():
            started = time.monotonic()
            for path, (look, before) in tuple(self._seen.items()):
                now = look(path)
                if now != before:
                    self._seen[path] = look, now
                    self._on_change(path)
                if look is not place and not Path(path).is_symlink():
                    self._seen.pop(path, None)  # the link is gone, and its folder has sent an event
            self._has_links.clear()
            if not self._seen and not self._closed.is_set():
                self._has_links.wait()
            self._closed.wait(min(max(INTERVAL, 10 * (time.monotonic() - started)), MAX_INTERVAL))


def place(path: str) -> object:
    """Where a path leads: differs if a link on the way is switched, or if something else takes the target's place."""
    stamp = files.stamp(path)
    return os.path.realpath(path), stamp and stamp.inode


def contents(path: str) -> object:
    """The stamps of a file, or of all files in a folder."""
    return frozenset(files.walk_files(Path(path))) if Path(path).is_dir() else files.stamp(path)
