"""What lies in a site's folders: each file with its stamp, which says without reading whether it may have changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from newsgen.errors import OutputError, Problem

SUFFIXES = (".md", ".markdown", ".txt", ".html")
ABOUT_FOLDERS = {"_topics": "topic", "_providers": "provider", "_stories": "story", "_pages": "page"}
"""The folders that hold facts about a topic, a provider, a story, and the site's own plain pages."""

TICK = 2_000_000_000
"""The coarsest clock of a file system in use, in nanoseconds (FAT: 2 s)."""

_ORDINARY = stat.S_IFREG
_name = attrgetter("name")


class Stamp(NamedTuple):
    """What a file system says of a file, times in nanoseconds: no edit leaves all of it as it was.

    But for one within the clock's tick that the last one fell in, as git has it
    (https://git-scm.com/docs/racy-git): see `is_settled`.
    """

    size: int
    mtime: int
    ctime: int
    inode: int

    def is_settled(self, moment: int) -> bool:
        """Whether an edit after a moment would have changed it."""
        return max(self.mtime, self.ctime) + TICK < moment


class FoundFile(NamedTuple):
    """A file by its path below the content folder, `id`; or what is wrong with it."""

    id: str
    path: str
    stamp: Stamp | Problem

    def mark(self, moment: int = 0) -> bytes:
        """The stamp in a line; b"" where there is none, or an edit after a moment (0: now) might not change it."""
        if isinstance(self.stamp, Problem) or (moment and not self.stamp.is_settled(moment)):
            return b""
        return b"%d %d %d %d" % self.stamp


def scan(root: Path, folder_name: str = "") -> Iterator[FoundFile]:
    """All content files below a folder, in the order of their paths. `folder_name` is how messages call that folder.

    Raises OutputError where the folder itself cannot be read.
    """
    found: list[FoundFile] = []
    _walk(str(root), "", folder_name or root.name, found)
    return iter(found)


def _walk(folder: str, below: str, folder_name: str, out: list[FoundFile]) -> None:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=_name)
    except OSError as error:
        if not below:
            raise OutputError(f"{folder_name}: cannot be read: {error.strerror}") from None
        out.append(
            FoundFile(below, folder, Problem(path=f"{folder_name}/{below}", what=f"cannot be read: {error.strerror}"))
        )
        return
    for entry in entries:
        bare = entry.name
        name = below + bare
        if bare[0] == "." or (bare[0] == "_" and (below or bare not in ABOUT_FOLDERS)):
            continue
        if not bare.isprintable() or (not bare.isascii() and bare.encode("utf-8", "replace").decode() != bare):
            path = f"{folder_name}/{name.encode('unicode_escape').decode()}"
            what = "has a name that cannot be printed"
            out.append(FoundFile(path, entry.path, Problem(path=path, what=what, hint="rename it")))
        elif entry.is_dir(follow_symlinks=False):
            _walk(entry.path, name + "/", folder_name, out)
        elif entry.is_symlink() and entry.is_dir():
            hint = "links to folders are not followed: move it here"
            out.append(
                FoundFile(
                    name, entry.path, Problem(path=f"{folder_name}/{name}", what="is a link to a folder", hint=hint)
                )
            )
        elif bare.endswith(SUFFIXES) or bare.lower().endswith(SUFFIXES):
            try:
                s = entry.stat()
            except OSError as error:
                what = f"cannot be read: {error.strerror}"
                out.append(FoundFile(name, entry.path, Problem(path=f"{folder_name}/{name}", what=what)))
                continue
            if stat.S_IFMT(s.st_mode) == _ORDINARY:
                out.append(FoundFile(name, entry.path, Stamp(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)))
            else:
                out.append(FoundFile(name, entry.path, Problem(path=f"{folder_name}/{name}", what="is not a file")))


def shipped_site() -> Path:
    """The shipped site: `starter/` beside the package where it is installed, else the checkout's root."""
    installed = Path(__file__).parent / "starter"
    return installed if installed.is_dir() else Path(__file__).parent.parent


def stamp(path: str | Path) -> Stamp | None:
    """The stamp of a file, None where there is none."""
    try:
        s = os.stat(path)
    except OSError:
        return None
    return Stamp(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)


def walk_files(root: Path) -> Iterator[tuple[str, Stamp | None]]:
    """Every file below a folder of templates or static files by its path, through links too; in no order."""
    seen = set()
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    if entry.is_dir():
                        folders.append(entry.path)
                    else:
                        yield entry.path, stamp(entry.path)
        except OSError:
            continue
