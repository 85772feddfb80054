"""Words: what a publisher wrote becomes plain text, a slug, or a shorter text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# What no XML 1.0 document may hold (https://www.w3.org/TR/xml/#charsets) and C1 controls, which no reader sees.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DROPPED = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_ASCII_SLUG = re.compile(r"[^a-z0-9]+")
LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
"""A language tag by its form (RFC 5646)."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
_SIGNS = {"+": "plus", "#": "sharp"}

SLUG_BYTES = 120
"""Longest slug in UTF-8: with a date, a suffix and an ending it stays below the 255 bytes a file name may have."""


def printable(value: str) -> str:
    """The text without characters that XML forbids or UTF-8 cannot hold."""
    return _UNPRINTABLE.sub("", value)


def plain(value: str) -> str:
    """Publisher's text as plain text: tags stripped, entities decoded once, white space normalised.

    Tags go first, so that `&lt;b&gt;` becomes the three characters a writer meant, not markup.
    """
    # Most texts are plain: three quick looks instead of a search. No white space but the space itself is printable.
    if value.isprintable() and not ("<" in value or "&" in value or "  " in value) and value.strip() == value:
        return value
    import html  # a build that changes nothing has no use for it

    value = _TAG.sub("", _DROPPED.sub("", value))
    return " ".join(_UNPRINTABLE.sub("", html.unescape(value)).split())


def shorten(value: str, length: int) -> str:
    """At most `length` characters, cut between words, with an ellipsis where something is missing."""
    if len(value) <= length:
        return value
    cut = value[: length - 1]
    space = cut.rfind(" ")
    # A script without spaces has no word to spare.
    if space > length // 2:
        cut = cut[:space]
    return cut.rstrip(" ,;:.-–—…") + "…"


@lru_cache(maxsize=65536)
def slug(value: str) -> str:
    """The form of a name in an address: lower case, words joined by hyphens, letters of every script kept.

    Never empty, never longer than `SLUG_BYTES`: where letters are missing or many, a digest of the name stands in.
    `C++` and `C#` stay apart.
    """
    if value.isascii() and not ("+" in value or "#" in value):
        words = _ASCII_SLUG.sub("-", value.lower()).strip("-")
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", value).casefold())
        for sign, name in _SIGNS.items():
            folded = folded.replace(sign, f" {name} ")
        # Marks belong to the letter before them: without them Hindi or Thai words fall apart.
        words = "-".join("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded).split())
    if words and len(words.encode()) <= SLUG_BYTES:
        return words
    head = words.encode()[: SLUG_BYTES - 7].decode("utf-8", "ignore").rstrip("-")
    return f"{head}-{digest6(value)}" if head else f"n-{digest6(value)}"


def digest6(value: str) -> str:
    """Six hex digits that tell names apart which would otherwise share an address."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()


def digest(data: bytes) -> str:
    """32 hex digits that stand for a file's bytes or an encoded value: half of SHA-256, which processors know (FIPS 180-4)."""
    return hashlib.sha256(data).hexdigest()[:32]


def digest_bytes(data: bytes) -> bytes:
    """The same as 16 bytes."""
    return hashlib.sha256(data).digest()[:16]
