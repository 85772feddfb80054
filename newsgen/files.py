"""Finds and writes the files in a site's folders. The stamp of a file shows, without reading it, whether it may have changed."""

from __future__ import annotations

import contextlib
import os
import stat
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple, overload

from newsgen import text
from newsgen.errors import OutputError, Problem, unreadable

SUFFIXES = (".md", ".markdown", ".txt", ".html")
FOREIGN_SUFFIXES = (".adoc", ".asciidoc", ".lr", ".mdx", ".org", ".qmd", ".rmd", ".rst", ".textile")
"""The endings of articles of other generators that newsgen does not read."""

ABOUT_FOLDERS = {"_topics": "topic", "_providers": "provider", "_stories": "story", "_pages": "page", "_feeds": "feed"}
"""The folders of files about topics, providers and stories, of the site's plain pages, and of feeds to fetch."""

TICK = 2_000_000_000
"""The coarsest timestamp resolution of any common file system, in nanoseconds (FAT: 2 s)."""

STAMP_BYTES = 32
"""The size of a stamp in `FoundFiles.stamps`."""

_REGULAR = stat.S_IFREG
_NO_STAMP = (-1, -1, -1, -1)
_name = attrgetter("name")


class Stamp(NamedTuple):
    """Metadata of a file from the file system, with times in nanoseconds. Every edit changes it, with one exception.

    An edit within the same clock tick as the previous edit may not, as in git (https://git-scm.com/docs/racy-git).
    See `is_settled`.
    """

    size: int
    mtime: int
    ctime: int
    inode: int

    def is_settled(self, moment: int) -> bool:
        """Whether every edit after this moment (in nanoseconds) changes the stamp."""
        return max(self.mtime, self.ctime) + TICK < moment


class FoundFile(NamedTuple):
    """A file in the content folder. `id` is its path below that folder; `stamp` is a Problem if it cannot be used."""

    id: str
    path: str
    stamp: Stamp | Problem

    def encoded_stamp(self, moment: int = 0) -> bytes:
        """The stamp as a line of text; b"" if there is none or it is not settled at `moment`. 0 skips that check."""
        if isinstance(self.stamp, Problem) or (moment and not self.stamp.is_settled(moment)):
            return b""
        return b"%d %d %d %d" % self.stamp


class Ids(Sequence[str]):
    """The ids of files, in their order. Most are packed: joined ones take less than half the memory."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._last: tuple[int, list[str]] = -1, []
        self.loose: list[str] = []
        """The last ids, which are not packed."""

    def append(self, id: str) -> None:
        self.loose.append(id)

    def pack(self) -> None:
        """Packs all ids but the last few."""
        if len(self.loose) >= _PACKED:
            stop = len(self.loose) // _PACKED * _PACKED
            self._packed += _packs(self.loose[:stop])
            del self.loose[:stop]

    def packs(self) -> Iterator[bytes]:
        """The ids, packed. Equal ones are packed in the same way."""
        yield from self._packed
        yield from _packs(self.loose)

    def _unpacked(self, number: int) -> list[str]:
        last, ids = self._last
        if last != number:
            ids = _unpack(self._packed[number])
            self._last = number, ids
        return ids

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        number, place = divmod(range(len(self))[at], _PACKED)
        return self._unpacked(number)[place] if number < len(self._packed) else self.loose[place]

    def __len__(self) -> int:
        return _PACKED * len(self._packed) + len(self.loose)

    def __iter__(self) -> Iterator[str]:
        return chain(chain.from_iterable(map(_unpack, self._packed)), self.loose)


_PACKED = 4096
"""The ids that are packed together."""


def _packs(ids: list[str]) -> Iterator[bytes]:
    """The ids, separated by NUL."""
    for at in range(0, len(ids), _PACKED):
        yield "\0".join(ids[at : at + _PACKED]).encode("utf-8", "surrogatepass")


def _unpack(pack: bytes) -> list[str]:
    return pack.decode("utf-8", "surrogatepass").split("\0")


class FoundFiles(Sequence[FoundFile]):
    """Content files in the order of their paths, part by part. Each FoundFile is made when it is asked for."""

    def __init__(self, root: str = "") -> None:
        self.root, self.ids = root, Ids()
        self._root = f"{root}{os.sep}"
        # Four numbers for each file, and apart from these what they cannot hold: problems, and numbers over 64 bits.
        self._stamps: array[int] = array("q")
        self._odd: dict[int, FoundFile] = {}

    def add(self, id: str, status: os.stat_result) -> None:
        """Adds the file whose path is `id` below the root."""
        values = status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        try:
            self._stamps.extend(values)
        except OverflowError:
            del self._stamps[4 * len(self.ids) :]
            self.add_odd(FoundFile(id, self.place(id), Stamp(*values)))
        else:
            self.ids.append(id)

    def place(self, id: str) -> str:
        """The path of the file or folder with an id."""
        return self._root + id

    def add_odd(self, file: FoundFile) -> None:
        """Adds a file with a problem, or whose path does not follow from its id."""
        self._odd[len(self.ids)] = file
        self.ids.append(file.id)
        self._stamps.extend(_NO_STAMP)

    def add_from(self, other: FoundFiles, order: list[int]) -> None:
        """Adds the files at these places of another list, whose ids are loose, that has the same root."""
        if other._odd:
            start = len(self.ids)
            self._odd |= {start + n: other._odd[at] for n, at in enumerate(order) if at in other._odd}
        self.ids.loose += map(other.ids.loose.__getitem__, order)
        self.ids.pack()
        for at in order:
            self._stamps += other._stamps[4 * at : 4 * at + 4]

    @overload
    def __getitem__(self, at: int) -> FoundFile: ...
    @overload
    def __getitem__(self, at: slice) -> list[FoundFile]: ...
    def __getitem__(self, at: int | slice) -> FoundFile | list[FoundFile]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self.ids)))]
        at = range(len(self.ids))[at]
        if at in self._odd:
            return self._odd[at]
        id = self.ids[at]
        return FoundFile(id, self.place(id), Stamp(*self._stamps[4 * at : 4 * at + 4]))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[FoundFile]:
        return map(self.__getitem__, range(len(self.ids)))

    @property
    def stamps(self) -> bytes:
        """The stamps, in `STAMP_BYTES` for each file; the same bytes for all files in `odd`."""
        return self._stamps.tobytes()

    @cached_property
    def digest(self) -> bytes:
        """A digest of the ids."""
        return text.digest_bytes(b"".join(map(text.digest_bytes, self.ids.packs())))

    @property
    def odd(self) -> dict[str, str]:
        """The problems, and the stamps that exceed 64 bits, as text by id."""
        return {file.id: repr(file.stamp) for file in self._odd.values()}


class Found(NamedTuple):
    """The files below the content folder: content files, and those that they may name (`text.ATTACHMENTS`).

    `foreign` are the ids of those with `FOREIGN_SUFFIXES`, in the same order.
    """

    content: FoundFiles
    attachments: FoundFiles
    foreign: list[str]


def scan(root: Path, folder_name: str = "") -> Found:
    """All files below a content folder. Messages call the folder `folder_name`.

    Raises OutputError if the folder itself cannot be read.
    """
    found = Found(FoundFiles(str(root)), FoundFiles(str(root)), [])
    _walk(str(root), "", folder_name or root.name, found)
    found.foreign.sort(key=_parts)
    return found


def _parts(id: str) -> list[str]:
    return id.split("/")


def unread(root: Path) -> str:
    """The path of a folder with article files that `scan` passes over for its name, such as `_posts`; "" without one."""
    for place, folders, names in os.walk(root):
        parts = os.path.relpath(place, root).split(os.sep)
        if any(part[0] == "_" for part in parts) and parts[0] not in _OWN_FOLDERS and any(map(_is_article, names)):
            return "/".join(parts)
        folders[:] = sorted(name for name in folders if name[0] != ".")
    return ""


def _is_article(name: str) -> bool:
    return name[0] not in "_." and name.endswith(SUFFIXES)


def _walk(folder: str, prefix: str, folder_name: str, found: Found) -> None:
    here = Found(FoundFiles(found.content.root), FoundFiles(found.content.root), found.foreign)
    folders: list[str] = []
    try:
        # Sorted when it is compact: the entries of a large folder take much more space.
        with opened(folder) as place, os.scandir(folder if place is None else place) as scanned:
            for entry in scanned:
                _add(entry, prefix, folder_name, here, folders)
    except OSError as error:
        if not prefix:
            raise OutputError(str(unreadable(folder_name, error))) from None
        found.content.add_odd(FoundFile(prefix, folder, unreadable(f"{folder_name}/{prefix}", error)))
        return
    found.attachments.add_from(here.attachments, _order(here.attachments))
    order, start = _order(here.content), 0
    for id in sorted(folders):
        stop = bisect_left(order, id, start, key=here.content.ids.loose.__getitem__)
        found.content.add_from(here.content, order[start:stop])
        _walk(found.content.place(id), f"{id}/", folder_name, found)
        start = stop
    found.content.add_from(here.content, order[start:])


@contextlib.contextmanager
def opened(folder: str | Path) -> Iterator[int | None]:
    """A descriptor of a folder, from which the system finds a file sooner than from the root.

    It is None on Windows, and for a folder that cannot be opened.
    """
    place = None
    if os.stat in os.supports_dir_fd and os.scandir in os.supports_fd:
        with contextlib.suppress(OSError):
            place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield place
    finally:
        if place is not None:
            os.close(place)


def _order(found: FoundFiles) -> list[int]:
    return sorted(range(len(found)), key=found.ids.loose.__getitem__)


def _add(entry: os.DirEntry[str], prefix: str, folder_name: str, here: Found, folders: list[str]) -> None:
    """Adds an entry of a folder to the files found there, or to the folders, by id."""
    name = entry.name
    id = prefix + name
    if name[0] == "." or (name[0] == "_" and (prefix or name not in _OWN_FOLDERS)):
        return
    found = here.content
    if not name.isprintable() or (not name.isascii() and name.encode("utf-8", "replace").decode() != name):
        path = f"{folder_name}/{id.encode('unicode_escape').decode()}"
        what = "the name has characters that cannot be printed"
        found.add_odd(FoundFile(path, found.place(id), Problem(path=path, what=what, hint="rename it")))
    elif entry.is_dir(follow_symlinks=False):
        folders.append(id)
    elif entry.is_symlink() and (problem := _link_problem(entry, f"{folder_name}/{id}")):
        found.add_odd(FoundFile(id, found.place(id), problem))
    elif name.endswith(SUFFIXES) or name.lower().endswith(_READ):
        if not name.endswith(SUFFIXES) and name.lower().endswith(text.ATTACHMENTS):
            found = here.attachments
        elif prefix.startswith(text.IMAGES_FOLDER + "/"):
            return
        try:
            s = entry.stat()
        except OSError as error:
            found.add_odd(FoundFile(id, found.place(id), unreadable(f"{folder_name}/{id}", error)))
            return
        if stat.S_IFMT(s.st_mode) == _REGULAR:
            found.add(id, s)
        else:
            found.add_odd(
                FoundFile(id, found.place(id), Problem(path=f"{folder_name}/{id}", what="not a regular file"))
            )
    elif name.lower().endswith(FOREIGN_SUFFIXES):
        here.foreign.append(id)


_OWN_FOLDERS = {*ABOUT_FOLDERS, text.IMAGES_FOLDER}
_READ = (*SUFFIXES, *text.ATTACHMENTS)


def _link_problem(link: os.DirEntry[str], path: str) -> Problem | None:
    """The problem of a symbolic link that leads to a folder or to itself, or that may have led to a folder."""
    try:
        if link.is_dir():
            return folder_link(path)
        if "." not in link.name:
            link.stat()
    except OSError as error:
        return unreadable(path, error)
    return None


def image_id(url: str) -> str:
    """The id of a publisher's picture in `text.IMAGES_FOLDER`, without its ending."""
    return f"{text.IMAGES_FOLDER}/{text.digest(url.encode())[:24]}"


def folder_link(path: str) -> Problem:
    """The problem of a symbolic link to a folder."""
    return Problem(path=path, what="symbolic links to folders are not followed", hint="move the folder here")


def shipped_site() -> Path:
    """The root of the shipped site: `starter/` in an installed package, else the root of the checkout."""
    installed = Path(__file__).parent / "starter"
    return installed if installed.is_dir() else Path(__file__).parent.parent


def shipped_catalogues() -> Path:
    """The folder of the catalogues of phrases that newsgen has itself."""
    return Path(__file__).parent / "locale"


def stamp(path: str | Path, *, follow: bool = True) -> Stamp | None:
    """The stamp of a file, or without `follow` of a link; None if it does not exist or is not accessible."""
    try:
        s = os.stat(path, follow_symlinks=follow)
    except OSError:
        return None
    return Stamp(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)


def write(path: Path, data: bytes, temporary: str = "") -> None:
    """Writes a file as a whole, or not at all, and creates its folder. Raises OutputError.

    Until it is complete, it is named `temporary`, by default after the file. The name begins with a dot, so that no build
    or preview reads it.
    """
    new = path.with_name(temporary or f".{text.digest6(path.name)}.new")
    try:
        try:
            try:
                new.write_bytes(data)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                new.write_bytes(data)
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def walk_files(root: Path) -> Iterator[tuple[str, Stamp | None]]:
    """The path and stamp of every file below a folder, in no particular order. Follows symbolic links.

    For templates and static files; `scan` finds content files.
    """
    seen = set()
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if _is_folder(entry):
                        folders.append(entry.path)
                    else:
                        yield entry.path, stamp(entry.path)
        except OSError:
            continue


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads to itself
        return False
