"""Media types by name, the same on every machine: a preview answers with what is published."""

from __future__ import annotations

from mimetypes import MimeTypes

# The machine's own table would make headers depend on the machine.
_TYPES = MimeTypes(filenames=())
_OURS = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".xml": "application/xml",
    ".opml": "text/x-opml",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".ico": "image/vnd.microsoft.icon",
}
_NAMED = {
    "feed.xml": "application/rss+xml",
    "atom.xml": "application/atom+xml",
    "feed.json": "application/feed+json",
    "_headers": "text/plain",
    "_redirects": "text/plain",
}


def media_type(path: str) -> str:
    """The media type of a file of the output, without parameters."""
    name = path.rpartition("/")[2]
    ending = "." + name.rpartition(".")[2].lower()
    return _NAMED.get(name) or _OURS.get(ending) or _TYPES.guess_type(name)[0] or "application/octet-stream"
