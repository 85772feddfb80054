"""Lists the files to publish: each with its digest, its kind and the headers to serve it with."""

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
"""What a file is to readers. `fixed` is a static file with a fingerprint in its name, `copy` a compressed copy."""

_KINDS: dict[str, Kind] = {
    "": "asset",
    "pages/home.html": "home",
    "pages/story.html": "story",
    "pages/article.html": "article",
    "pages/redirect.html": "redirect",
    "pages/gone.html": "redirect",
    "pages/list.html": "list",
    "pages/index.html": "list",
    "pages/sources.html": "list",
}

_SUFFIXES = {"gzip": ".gz", "br": ".br"}  # three characters each
_TEXT_SUFFIXES = (".html", ".css", ".js", ".mjs", ".json", ".xml", ".svg", ".txt", ".webmanifest", ".opml", ".map")

# newsgen writes these types as UTF-8, and assumes UTF-8 for a site's own files of these types.
_UTF8_TYPES = (
    "text/html", "text/css", "text/javascript", "text/plain", "text/x-opml", "application/xml", "application/rss+xml",
    "application/atom+xml", "application/feed+json",
)  # fmt: skip

# RFC 8246. The content behind a fingerprinted name never changes.
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=60"
_HOUR = "public, max-age=3600"


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file to publish. `source` is the local file that holds its bytes.

    `digest` and `size` are of the bytes sent. `kind` determines the order of sending.
    """

    path: str
    source: str
    digest: str
    size: int
    kind: Kind
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def mark(self) -> str:
        """Identifies a version of the file: the digest of its bytes and, if it has headers, of its headers."""
        if not self.headers:
            return self.digest
        return f"{self.digest}-{digest(msgspec.json.encode(self.headers))[:8]}"


def objects(
    root: Path,
    written: Mapping[str, Record],
    fingerprinted: Collection[str],
    rules: Iterable[HeaderRule],
    encoding: str = "",
) -> dict[str, File]:
    """The files of a build with their headers, by path. `fingerprinted` files have a fingerprint in their name.

    With an `encoding` ("br", "gzip"), texts are stored compressed and served with Content-Encoding.
    """
    compress = _Compressor(root.with_name("squeezed"), written)
    rules = tuple(rules)
    out = {}
    for path, record in written.items():
        kind = kind_of(path, record, fingerprinted)
        found = {"Content-Type": content_type(path), "Cache-Control": _lifetime(kind)}
        source, mark, size = root / path, record.content, record.size
        if encoding and path.endswith(_TEXT_SUFFIXES):
            source, mark, size = compress(path, source, encoding)
            found["Content-Encoding"] = encoding
        for rule in rules:
            if fnmatchcase(path, rule.match.lstrip("/")):
                found |= {str(header): value for header, value in rule.set.items()}
        headers = tuple(sorted(found.items()))
        out[path] = File(path=path, source=str(source), digest=mark, size=size, kind=kind, headers=headers)
    compress.close()
    return out


def plain(
    root: Path, written: Mapping[str, Record], fingerprinted: Collection[str], encodings: Iterable[str]
) -> dict[str, File]:
    """The files of a build without headers, by path. With `encodings`, adds compressed copies beside the texts.

    nginx's gzip_static and Caddy's precompressed look for `index.html.gz` and `index.html.br`.
    """
    out = {}
    compress = _Compressor(root.with_name("squeezed"), written)
    for path, record in written.items():
        kind = kind_of(path, record, fingerprinted)
        out[path] = File(path=path, source=str(root / path), digest=record.content, size=record.size, kind=kind)
        for encoding in encodings if path.endswith(_TEXT_SUFFIXES) else ():
            source, mark, size = compress(path, root / path, encoding)
            copy_path = path + _SUFFIXES[encoding]
            out[copy_path] = File(path=copy_path, source=str(source), digest=mark, size=size, kind="copy")
    compress.close()
    return out


def content_type(path: str) -> str:
    """The media type for a file name, with the charset for text types."""
    kind = media_type(path)
    return f"{kind}; charset=utf-8" if kind in _UTF8_TYPES else kind


def kind_of(path: str, record: Record, fingerprinted: Collection[str] = ()) -> Kind:
    """The kind of a file of a build."""
    if path in fingerprinted:
        return "fixed"
    kind = _KINDS.get(record.template)
    # Nobody bookmarks the files of feeds and of the search, and some of the search's files go when a day is over.
    return kind or ("feed" if record.template.startswith(("feeds/", "search/")) else "page")


def _lifetime(kind: Kind) -> str:
    return {"fixed": _FOREVER, "asset": _HOUR}.get(kind, _SHORT)


class _Compressor:
    """Keeps compressed copies in a folder, and compresses again only texts that changed."""

    def __init__(self, root: Path, written: Mapping[str, Record]) -> None:
        self._root = root
        self._written = written
        self._list_file = root / "list.json"
        # For each copy, the digest of its text and of its own bytes.
        self._digests: dict[str, tuple[str, str]] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError):
            self._digests = msgspec.json.decode(self._list_file.read_bytes(), type=dict[str, tuple[str, str]])

    def __call__(self, path: str, text: Path, encoding: str) -> tuple[Path, str, int]:
        """The path of the compressed copy of a text, the digest of its bytes, and its size."""
        copy_path, content = path + _SUFFIXES[encoding], self._written[path].content
        place = self._root / "files" / copy_path
        try:
            data = place.read_bytes()
        except OSError:
            data = b""
        if self._digests.get(copy_path) != (content, digest(data)):
            data = _compress(text.read_bytes(), encoding)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            self._digests[copy_path] = (content, digest(data))
        return place, self._digests[copy_path][1], len(data)

    def close(self) -> None:
        """Saves the list, and removes copies of texts that are gone. Copies for other targets stay."""
        gone = [copy_path for copy_path in self._digests if copy_path[:-3] not in self._written]
        for copy_path in gone:
            (self._root / "files" / copy_path).unlink(missing_ok=True)
            del self._digests[copy_path]
        if self._digests or gone:
            self._list_file.write_bytes(msgspec.json.encode(self._digests))


def _compress(data: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(data, 9, mtime=0)
    try:
        brotli: Any = __import__("brotli")
    except ImportError:
        raise PublishError('precompress = ["br"] needs brotli; run pip install "newsgen[minify]"') from None
    # Level 11 takes ten times as long and saves another 5 %.
    return bytes(brotli.compress(data, mode=brotli.MODE_TEXT, quality=9))
