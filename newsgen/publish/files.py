"""A built site becomes files to publish: each with its digest, its kind and the headers it is to be served with."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec

from newsgen.builder import Record, media_type
from newsgen.config import HeaderRule
from newsgen.errors import PublishError
from newsgen.text import digest

Kind = Literal["fixed", "asset", "copy", "article", "story", "page", "redirect", "list", "feed", "home"]
"""What a file is to readers. `fixed` are assets whose name holds a fingerprint, `copy` compressed copies."""

_KINDS: dict[str, Kind] = {
    "": "asset",
    "pages/home.html": "home",
    "pages/story.html": "story",
    "pages/article.html": "article",
    "pages/redirect.html": "redirect",
    "pages/list.html": "list",
    "pages/index.html": "list",
    "pages/sources.html": "list",
}

_SUFFIXES = {"gzip": ".gz", "br": ".br"}  # three characters each
_TEXTS = (".html", ".css", ".js", ".mjs", ".json", ".xml", ".svg", ".txt", ".webmanifest", ".opml", ".map")

# Of these types newsgen writes UTF-8, and their files are taken for it.
_UTF8 = (
    "text/html", "text/css", "text/javascript", "text/plain", "text/x-opml", "application/xml", "application/rss+xml",
    "application/atom+xml", "application/feed+json",
)  # fmt: skip

# RFC 8246: a fingerprinted name never means other bytes.
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=60"
_HOUR = "public, max-age=3600"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is to stand at the target. `source` is where its bytes lie here.

    `digest` and `size` are of the bytes that travel; `kind` says when they do.
    """

    path: str
    source: str
    digest: str
    size: int
    kind: Kind
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def mark(self) -> str:
        """What tells one state of an object from another: its bytes, and its headers where it has any."""
        if not self.headers:
            return self.digest
        return f"{self.digest}-{digest(msgspec.json.encode(self.headers))[:8]}"


def objects(
    root: Path, written: Mapping[str, Record], fixed: Collection[str], rules: Iterable[HeaderRule], encoding: str = ""
) -> dict[str, File]:
    """The files of a build with their headers, by path. `fixed` are the paths of assets whose name holds a fingerprint.

    With an `encoding` ("br", "gzip"), texts travel compressed and say so in Content-Encoding.
    """
    squeeze = _Squeezed(root.with_name("squeezed"), written)
    rules = tuple(rules)
    out = {}
    for path, record in written.items():
        kind = kind_of(path, record, fixed)
        found = {"Content-Type": content_type(path), "Cache-Control": _lifetime(kind)}
        source, mark, size = root / path, record.content, record.size
        if encoding and path.endswith(_TEXTS):
            source, mark, size = squeeze(path, source, encoding)
            found["Content-Encoding"] = encoding
        for rule in rules:
            if fnmatchcase(path, rule.match.lstrip("/")):
                found |= {str(name): value for name, value in rule.set.items()}
        headers = tuple(sorted(found.items()))
        out[path] = File(path=path, source=str(source), digest=mark, size=size, kind=kind, headers=headers)
    squeeze.close()
    return out


def plain(
    root: Path, written: Mapping[str, Record], fixed: Collection[str], encodings: Iterable[str]
) -> dict[str, File]:
    """The files of a build without headers, by path; with `encodings` compressed copies stand beside the texts.

    `index.html.gz` and `index.html.br` are what nginx's gzip_static and Caddy's precompressed look for.
    """
    out = {}
    squeeze = _Squeezed(root.with_name("squeezed"), written)
    for path, record in written.items():
        kind = kind_of(path, record, fixed)
        out[path] = File(path=path, source=str(root / path), digest=record.content, size=record.size, kind=kind)
        for encoding in encodings if path.endswith(_TEXTS) else ():
            source, mark, size = squeeze(path, root / path, encoding)
            name = path + _SUFFIXES[encoding]
            out[name] = File(path=name, source=str(source), digest=mark, size=size, kind="copy")
    squeeze.close()
    return out


def content_type(path: str) -> str:
    """The media type of a file by its name, with the charset where it is a text."""
    kind = media_type(path)
    return f"{kind}; charset=utf-8" if kind in _UTF8 else kind


def kind_of(path: str, record: Record, fixed: Collection[str] = ()) -> Kind:
    """What a file of a build is to readers."""
    if path in fixed:
        return "fixed"
    kind = _KINDS.get(record.template)
    return kind or ("feed" if record.template.startswith("feeds/") else "page")


def _lifetime(kind: Kind) -> str:
    return {"fixed": _FOREVER, "asset": _HOUR}.get(kind, _SHORT)


class _Squeezed:
    """Compressed copies in a folder of their own, made again only where the text is another."""

    def __init__(self, root: Path, written: Mapping[str, Record]) -> None:
        self._root = root
        self._written = written
        self._list = root / "list.json"
        # Of each copy the digest of its text, and of its own bytes.
        self._known: dict[str, tuple[str, str]] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._known = msgspec.json.decode(self._list.read_bytes(), type=dict[str, tuple[str, str]])

    def __call__(self, path: str, text: Path, encoding: str) -> tuple[Path, str, int]:
        """Where the compressed copy of a text lies, the digest of its bytes, and their number."""
        name, content = path + _SUFFIXES[encoding], self._written[path].content
        place = self._root / "files" / name
        try:
            data = place.read_bytes()
        except OSError:
            data = b""
        if self._known.get(name) != (content, digest(data)):
            data = _compress(text.read_bytes(), encoding)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            self._known[name] = (content, digest(data))
        return place, self._known[name][1], len(data)

    def close(self) -> None:
        """Notes what there is, and removes the copies of texts that are gone. Those for other targets stay."""
        gone = [name for name in self._known if name[:-3] not in self._written]
        for name in gone:
            (self._root / "files" / name).unlink(missing_ok=True)
            del self._known[name]
        if self._known or gone:
            self._list.write_bytes(msgspec.json.encode(self._known))


def _compress(data: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(data, 9, mtime=0)
    try:
        brotli: Any = __import__("brotli")
    except ImportError:
        raise PublishError('precompress = ["br"] needs the extra: pip install "newsgen[minify]"') from None
    # Level 11 takes ten times as long for a twentieth of the bytes.
    return bytes(brotli.compress(data, mode=brotli.MODE_TEXT, quality=9))
