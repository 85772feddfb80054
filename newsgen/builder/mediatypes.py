"""Media types by file name: the same on every machine, and in the preview as when published."""

from __future__ import annotations

from mimetypes import MimeTypes

# No system files: they differ between machines, and so would the headers.
_TYPES = MimeTypes(filenames=())
_BY_ENDING = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".xml": "application/xml",
    ".opml": "text/x-opml",
    ".webmanifest": "application/manifest+json",
    ".geojson": "application/geo+json",
    ".gpx": "application/gpx+xml",
    ".wasm": "application/wasm",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".ico": "image/vnd.microsoft.icon",
}
_BY_NAME = {
    "feed.xml": "application/rss+xml",
    "atom.xml": "application/atom+xml",
    "feed.json": "application/feed+json",
    "_headers": "text/plain",
    "_redirects": "text/plain",
}


def media_type(path: str) -> str:
    """The media type of an output file, without parameters such as charset."""
    name = path.rpartition("/")[2]
    ending = "." + name.rpartition(".")[2].lower()
    return _BY_NAME.get(name) or _BY_ENDING.get(ending) or _TYPES.guess_type(name)[0] or "application/octet-stream"
