"""Reads the files that content files name, and puts their addresses in the place of these names."""

from __future__ import annotations

import contextlib
import html
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from newsgen import urls
from newsgen.builder import encoder
from newsgen.builder.cache import Cache
from newsgen.content import file_id, is_name
from newsgen.errors import OutputError
from newsgen.files import FoundFile, FoundFiles, Stamp
from newsgen.library import file_key
from newsgen.model import About, Article, Attachment, Image, NamedFile, RelatedEntries
from newsgen.pages import AttachmentPage
from newsgen.pictures import Medium, UnusableError, medium
from newsgen.text import ATTACHMENTS, digest_bytes
from newsgen.validation import did_you_mean, nearest

MAX_BYTES = 50_000_000
"""The largest file that is published, in bytes."""

_MAX_NAMES = 1000
"""In a folder with more files, no similar name is looked for, because that takes long."""

V = TypeVar("V", bound=Article | About)


class Fault(NamedTuple):
    """What is wrong with a named file, and what to do. A warning costs nothing.

    A missing file has no hint here: `Attachments.hint` gives it.
    """

    file: NamedFile
    what: str
    hint: str
    kind: Literal["missing", "unusable", "warning"]


class _Known(msgspec.Struct, array_like=True):
    """What a file with this stamp is, and what is wrong with it, if anything. A stamp of b"" cannot be relied on."""

    stamp: bytes
    attachment: Attachment | None = None
    what: str = ""
    hint: str = ""


_decode = msgspec.msgpack.Decoder(_Known).decode
_encode = msgspec.msgpack.Encoder().encode


class Attachments:
    """The files below the content folder that content files may name.

    `found` are the files there, and `root` is the path of the site's base URL. What is known of a file is kept in the
    cache, so that it is read once. `racy` holds the digest of each file that was read and whose stamp is too recent to
    rule out an unnoticed edit after the moment `started`, by id.
    """

    def __init__(self, found: FoundFiles, content: Path, cache: Cache, root: str, started: int) -> None:
        self._found, self._content, self._cache, self._root = found, content, cache, root
        self._started = started
        self._known: dict[str, _Known] = {}
        self.racy: dict[str, bytes] = {}

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Maps the id that a content file names to the id on the disk."""
        ids = self._found.ids
        return {file_key(id): id for id in reversed(ids)} | dict(zip(ids, ids, strict=True))

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """The names of the files in each folder."""
        names: dict[str, list[str]] = {}
        for id in self._found.ids:
            folder, _, name = id.rpartition("/")
            names.setdefault(folder, []).append(name)
        return names

    @cached_property
    def _at(self) -> dict[str, int]:
        return {id: at for at, id in enumerate(self._found.ids)}

    def resolved(self, value: V) -> tuple[V, list[Fault]]:
        """A content file with the addresses of the files that it names, and what is wrong with these files."""
        found: dict[str, Attachment] = {}
        faults = []
        for named in value.files:
            id = self._id(named.id)
            if not id:
                if is_name(named.link) and named.place:
                    what = "is not in the content folder" if not named.id else "does not exist"
                    hint = "" if named.id else "put a copy of it beside this file"
                    kind: Any = "missing" if named.id else "unusable"
                    faults.append(Fault(named, f"the file {named.link!r} {what}", hint, kind))
                continue
            known = self._of(id)
            if known.attachment:
                found[named.link] = known.attachment
            if is_name(named.link) and known.what:
                kind = "warning" if known.attachment else "unusable"
                faults.append(Fault(named, f"the file {named.link!r} {known.what}", known.hint, kind))
            elif known.attachment is None:
                hint = "remove it; `newsgen images` fetches it again"
                faults.append(Fault(named, f"{self._content.name}/{id} {known.what}", hint, "warning"))
        return _with_addresses(value, found, self._root), faults

    def link_hint(self, file: str, link: str) -> str:
        """What to do about a link in the body of a content file that may have been meant for a file; "" if not."""
        name = link.partition("#")[0]
        is_file = not link.startswith("/") and name.lower().endswith(ATTACHMENTS)
        wanted = file_id(name, file) if is_file else ""
        return self.hint(wanted) if wanted else ""

    def hint(self, id: str) -> str:
        """What to do about a named file that does not exist."""
        folder, _, name = id.rpartition("/")
        names = self._names.get(folder, [])
        if near := nearest(name, names) if len(names) <= _MAX_NAMES else "":
            same = near.casefold() == name.casefold()
            return f"write it as {near!r}, in the same case" if same else did_you_mean(name, names)
        return "put it beside this file, correct the name, or begin it with / for a file in static/"

    def prepare(self, names: Iterable[str], run: Callable[[Any, list[Any]], Iterable[Any]]) -> None:
        """Reads the named files that the cache does not know. `run` maps a function over work."""
        ids = {self._id(name) for name in names} - {""}
        unknown = [self._found[self._at[id]] for id in sorted(ids) if self._kept(id) is None]
        work = [(self._content, self._started, unknown[at : at + _BATCH]) for at in range(0, len(unknown), _BATCH)]
        for _, results in zip(work, run(_inspect, work), strict=True):
            for id, known, digest in results:
                self._keep(id, known, digest)

    def _id(self, name: str) -> str:
        """The id on the disk of a file that a content file names; "" if it is not there."""
        return self._by_name.get(name) or self._by_name.get(file_key(name), "")

    def _of(self, id: str) -> _Known:
        """What a file is; read from the disk only if the cache does not say so."""
        known = self._kept(id)
        if known is None:
            [(_, known, digest)] = _inspect((self._content, self._started, [self._found[self._at[id]]]))
            self._keep(id, known, digest)
        return known

    def _kept(self, id: str) -> _Known | None:
        known = self._known.get(id)
        if known is None and (data := self._cache.get(f"attachment {id}")):
            with contextlib.suppress(msgspec.MsgspecError):
                known = _decode(data)
            if known and known.stamp and known.stamp == self._found[self._at[id]].encoded_stamp():
                self._known[id] = known
                return known
            return None
        return known

    def _keep(self, id: str, known: _Known, digest: bytes) -> None:
        self._known[id] = known
        self._cache.put(f"attachment {id}", _encode(known))
        if digest and not known.stamp:
            self.racy[id] = digest

    def forget(self, ids: Iterable[str]) -> None:
        """Drops what is known of files that are gone."""
        for id in ids:
            if id not in self._at:
                self._cache.put(f"attachment {id}", None)


_BATCH = 8
"""The number of files per task: they are much larger than content files."""


def _inspect(work: tuple[Path, int, list[FoundFile]]) -> list[tuple[str, _Known, bytes]]:
    """What each of these files is, with the digest of its bytes if they were read."""
    content, started, found = work
    return [(each.id, *_inspected(content, each, started)) for each in found]


def _inspected(content: Path, found: FoundFile, started: int) -> tuple[_Known, bytes]:
    stamp = found.encoded_stamp(started)
    if not isinstance(found.stamp, Stamp):
        what = found.stamp.what if found.stamp.what.startswith("cannot") else "is not a regular file"
        return _Known(stamp, what=what, hint="put a copy of the file itself in its place"), b""
    digest = b""
    try:
        data = read(content, found.id)
        digest = digest_bytes(data)
        kind = medium(data, Path(found.id).suffix.lower())
    except UnusableError as error:
        return _Known(stamp, what=error.what, hint=error.hint), digest
    attachment = _attachment(found.id, digest, kind)
    if attachment.encoder and encoder.is_damaged(data, kind.type):
        return _Known(stamp, what="is damaged", hint="save it again"), digest
    if kind.located and not attachment.encoder:
        what = "says where it was taken, and readers could find that out"
        hint = "remove its position" if kind.animated else "install newsgen[images], or remove its position"
        return _Known(stamp, attachment, what, hint), digest
    return _Known(stamp, attachment), digest


def _attachment(id: str, digest: bytes, kind: Medium) -> Attachment:
    version = encoder.version(kind)
    plain = Attachment(
        source=id,
        digest=digest,
        address=urls.attachment(digest, version, id, kind.suffix),
        type=kind.type,
        width=kind.width,
        height=kind.height,
        encoder=version,
    )
    widths = encoder.widths(kind.width) if version else ()
    if not widths:
        return plain
    # The picture at the address is no larger than its largest copy, and the page has to name its size.
    height = max(1, round(kind.height * widths[-1] / kind.width))
    return msgspec.structs.replace(plain, width=widths[-1], height=height, widths=widths, formats=encoder.formats())


def read(content: Path, id: str) -> bytes:
    """The bytes of a file below the content folder. Raises UnusableError for one that must not be published.

    It must be a regular file whose real path lies in the real folder and has no part that begins with a dot or an
    underscore, except for newsgen's own folders. So the rules for a named file hold for what a link leads to, too.
    """
    root, real = os.path.realpath(content), os.path.realpath(content / id)
    inside = real.startswith(root + os.sep)
    parts = Path(real[len(root) + 1 :]).parts
    hidden = any(part[0] in "._" for part in (parts[1:] if parts and parts[0] == id.partition("/")[0] else parts))
    if not inside or hidden:
        raise UnusableError("is a link to a file that is not published", "put a copy of that file in its place")
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        file = os.open(real, flags)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise UnusableError("is not a regular file", "put the file itself in its place")
            if status.st_size > MAX_BYTES:
                raise UnusableError(
                    f"has {status.st_size / 1e6:,.0f} MB",
                    f"save it smaller; the maximum is {MAX_BYTES // 1_000_000} MB",
                )
            pieces = []
            left = MAX_BYTES + 1
            while left > 0 and (piece := os.read(file, min(left, 1 << 20))):
                pieces.append(piece)
                left -= len(piece)
            return b"".join(pieces)
        finally:
            os.close(file)
    except OSError as error:
        raise UnusableError(f"cannot be read: {error.strerror}", "") from None


def copied(page: AttachmentPage, content: Path, site: Path) -> bytes:
    """The bytes of a page. Raises OutputError if the file has changed since the page was planned."""
    try:
        data = read(content, page.source)
    except UnusableError as error:
        raise OutputError(f"{content.name}/{page.source}: {error.what}") from None
    name = f"{content.name}/{page.source}"
    if digest_bytes(data).hex() != page.content:
        raise OutputError(f"{name}: changed while the site was built; build again")
    return encoder.encoded(data, name, page, site) if page.encoder else data


# The parts of a value that name files


def _with_addresses(value: V, found: Mapping[str, Attachment], root: str) -> V:
    """A content file with attachments in place of their names, and without pictures whose names lead to nothing."""
    if isinstance(value, About):
        image = _picture(value.image, found) if value.image else None
        changes: dict[str, object] = {"image": image}
    else:
        images = (_picture(image, found) for image in value.images)
        changes = {"images": tuple(image for image in images if image)}
        if any(e.image and (is_name(e.image.url) or e.image.url in found) for e in value.related):
            changes["related"] = RelatedEntries.of(
                msgspec.structs.replace(entry, image=_picture(entry.image, found)) if entry.image else entry
                for entry in value.related
            )
        facts = [(link, a.address, a.width, a.height, a.widths, a.formats) for link, a in found.items()]
        changes["digest"] = digest_bytes(value.digest + _encode(facts))
    if value.body:
        changes["body"] = _body(value.body, found, root)
    links = tuple(link for link in value.links if link not in found)
    attachments = {each.source: each for each in found.values()}
    return msgspec.structs.replace(value, links=links, attachments=tuple(attachments.values()), **changes)


def _picture(image: Image, found: Mapping[str, Attachment]) -> Image | None:
    attachment = found.get(image.url)
    if attachment is None:
        return None if is_name(image.url) else image
    return msgspec.structs.replace(
        image,
        url=attachment.address,
        width=attachment.width,
        height=attachment.height,
        widths=attachment.widths,
        formats=attachment.formats,
    )


_TAG = re.compile(r'<(img|a)((?: [a-z]+="[^"]*")+)( ?/?)>')
_LINK = re.compile(r' (?:src|href)="([^"]*)"')
_SIZE = re.compile(r' (?:width|height)="')
BODY_SIZES = "(min-width: 42rem) 42rem, 100vw"
"""How wide pictures in bodies are: as wide as the text."""


def _body(body: str, found: Mapping[str, Attachment], root: str) -> str:
    """Sanitised HTML with addresses in the place of names of files, and with the sizes of pictures."""

    def tag(match: re.Match[str]) -> str:
        link = _LINK.search(match[2])
        written = html.unescape(link[1]) if link else ""
        attachment = found.get(written)
        if link is None or attachment is None:
            return match[0]
        fragment = written.partition("#")[2] if match[1] == "a" else ""
        address = urls.href(attachment.address, root) + (f"#{html.escape(fragment)}" if fragment else "")
        attributes = match[2][: link.start(1)] + address + match[2][link.end(1) :]
        if match[1] == "a":
            return f"<a{attributes}>"
        if not _SIZE.search(attributes):
            attributes += f' width="{attachment.width}" height="{attachment.height}"'
        picture = f'<img{attributes} loading="lazy" decoding="async">'
        sources = [
            f'<source type="image/{f}" srcset="{urls.srcset(attachment, f, root)}" sizes="{BODY_SIZES}">'
            for f in attachment.formats
        ]
        return f"<picture>{''.join(sources)}{picture}</picture>" if sources else picture

    return _TAG.sub(tag, body)
