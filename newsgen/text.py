"""Text functions: plain text, slugs, shortening and digests."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# Characters that XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets), and C1 controls, which are invisible.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DROPPED_ELEMENT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_ASCII_SLUG = re.compile(r"[^a-z0-9]+")
LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
"""A pattern for language tags (RFC 5646). It checks the form only."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
_SIGNS = {"+": "plus", "#": "sharp"}

SLUG_BYTES = 120
"""Maximum size of a slug in UTF-8, in bytes. With a date, suffix and extension it fits into a file name of 255 bytes."""


def printable(value: str) -> str:
    """Removes characters that XML forbids, that UTF-8 cannot encode or that are C1 controls."""
    return _UNPRINTABLE.sub("", value)


def plain(value: str) -> str:
    """Converts a publisher's text to plain text: strips tags, decodes entities once and normalises white space.

    Tags are stripped before entities are decoded, so `&lt;b&gt;` becomes the text `<b>`.
    """
    # Fast path: most texts are plain already. The space is the only white space that isprintable() accepts.
    if value.isprintable() and not ("<" in value or "&" in value or "  " in value) and value.strip() == value:
        return value
    import html  # imported here because a build without changes does not need it

    value = _TAG.sub("", _DROPPED_ELEMENT.sub("", value))
    return " ".join(_UNPRINTABLE.sub("", html.unescape(value)).split())


def shorten(value: str, length: int) -> str:
    """Cuts text between words to at most `length` characters, including the ellipsis that marks a cut."""
    if len(value) <= length:
        return value
    cut = value[: length - 1]
    space = cut.rfind(" ")
    # Cut inside a word if the last space is too early, as in scripts without spaces.
    if space > length // 2:
        cut = cut[:space]
    return cut.rstrip(" ,;:.-–—…") + "…"


@lru_cache(maxsize=65536)
def slug(value: str) -> str:
    """The form of a name in an address: lower case, words joined by hyphens, letters of every script kept.

    A slug is never empty or longer than `SLUG_BYTES`: a digest of the name replaces missing letters or the excess.
    `C++` and `C#` have different slugs.
    """
    if value.isascii() and not ("+" in value or "#" in value):
        words = _ASCII_SLUG.sub("-", value.lower()).strip("-")
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", value).casefold())
        for sign, name in _SIGNS.items():
            folded = folded.replace(sign, f" {name} ")
        # Keep combining marks (M): without them Hindi and Thai words would be split.
        words = "-".join("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded).split())
    if words and len(words.encode()) <= SLUG_BYTES:
        return words
    head = words.encode()[: SLUG_BYTES - 7].decode("utf-8", "ignore").rstrip("-")
    return f"{head}-{digest6(value)}" if head else f"n-{digest6(value)}"


def digest6(value: str) -> str:
    """Six hex digits that distinguish names which would otherwise share an address."""
    return hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()


def digest(data: bytes) -> str:
    """The digest of a file's bytes or an encoded value: the first half of SHA-256 (FIPS 180-4) as 32 hex digits.

    SHA-256 is fast because processors have instructions for it.
    """
    return hashlib.sha256(data).hexdigest()[:32]


def digest_bytes(data: bytes) -> bytes:
    """`digest` as 16 bytes."""
    return hashlib.sha256(data).digest()[:16]
