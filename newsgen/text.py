"""Text functions: plain text, slugs, shortening and digests."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# Characters that XML 1.0 forbids (https://www.w3.org/TR/xml/#charsets), and C1 controls, which are invisible.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Markup that people, and the systems they write in, put into headlines and excerpts. Any other word in angle brackets
# is part of the text, such as `Option<T>`, `<dialog>` or <https://docs.example/>. All but br and wbr need a closing tag.
_HEADLINE_TAGS = frozenset(
    "a abbr b big br cite code del em font i ins kbd mark q s small span strike strong sub sup tt u wbr".split()  # noqa: SIM905
)
# Feeds give excerpts as paragraphs. In such a text, these are markup too.
_PARAGRAPH_TAGS = _HEADLINE_TAGS | {"p", "div", "ul", "ol", "li", "blockquote"}
_PARAGRAPHS = re.compile(r"\s*<p(?:\s[^<>]*)?>.*</p>\s*", re.DOTALL | re.IGNORECASE)
_UNCLOSED_TAGS = frozenset(["br", "wbr"])
_SPACES = frozenset(["br", "p", "div", "ul", "ol", "li", "blockquote"])
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*+)(?:\s[^<>]*|/)?>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = {
    name: (
        re.compile(rf"<{name}(\s[^<>]*)?>(.*?)</{name}\s*>", re.DOTALL | re.IGNORECASE),
        re.compile(rf"</{name}\s*>", re.IGNORECASE),
    )
    for name in ("script", "style")
}
_CODE_SIGN = re.compile("[(){};=]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,8};?|#[xX][0-9A-Fa-f]{1,8};?|([A-Za-z][A-Za-z0-9]{1,31};?))")
_TAILS = (" - ", " – ", " — ", " | ", " » ", " « ", " · ", " • ")
_ASCII_SLUG = re.compile(r"[^a-z0-9]+")
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
"""A pattern for language tags (RFC 5646). It checks the form only. No language has a longer code, so `English` is none."""

PICTURES = (".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")
ATTACHMENTS = (*PICTURES, ".pdf")
"""The endings of the files beside content files that these may name, and that are published then."""

IMAGES_FOLDER = "_images"
"""The folder in the content folder of the publishers' pictures that `newsgen images` fetched. It holds nothing else."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip
_FINAL_SIGMA = re.compile(r"σ(?=-|\Z)")  # case folding makes it the other sigma
# A number sign is read only behind a letter or digit: a hashtag is its word.
_SIGNS = {re.compile(r"\+"): " plus ", re.compile(r"(?<=\w)#"): " sharp "}


SLUG_BYTES = 120
"""Maximum size of a slug in UTF-8, in bytes. With a date, suffix and extension it fits into a file name of 255 bytes."""


def printable(value: str) -> str:
    """Removes characters that XML forbids, that UTF-8 cannot encode or that are C1 controls."""
    return _UNPRINTABLE.sub("", value)


def plain(value: str) -> str:
    """Converts a publisher's text to plain text: strips tags, decodes entities once and normalises white space.

    Tags are stripped before entities are decoded, so `&lt;b&gt;` becomes the text `<b>`. Only markup that people use in
    headlines is stripped, and only if it is closed: other words in angle brackets are text. Takes linear time.
    """
    # Fast path: most texts are plain already. The space is the only white space that isprintable() accepts.
    if value.isprintable() and not ("<" in value or "&" in value or "  " in value) and value.strip() == value:
        return value
    if "<" in value:
        value = _without_tags(_without_code(value))
    if "&" in value:
        value = _ENTITY.sub(_character, value)
    return " ".join(_UNPRINTABLE.sub("", value).split())


def _without_code(value: str) -> str:
    """The text without comments, scripts and style sheets. One that is not closed, or whose content is prose, stays."""
    # The patterns search up to the last closing tag only. Each unclosed opening tag would cost a search to the end.
    end = value.rfind("-->") + 3
    if end > 2:
        value = _COMMENT.sub("", value[:end]) + value[end:]
    for pattern, closing in _CODE.values():
        end = max((tag.end() for tag in closing.finditer(value)), default=0)
        if end:
            value = pattern.sub(_unless_prose, value[:end]) + value[end:]
    return value


def _unless_prose(code: re.Match[str]) -> str:
    """What is left of a script or style sheet: nothing, or all of “<script> and </script> are tags”."""
    return "" if code[1] or not code[2].strip() or _CODE_SIGN.search(code[2]) else code[0]


def _without_tags(value: str) -> str:
    names = _PARAGRAPH_TAGS if _PARAGRAPHS.fullmatch(value) else _HEADLINE_TAGS
    tags = [tag for tag in _TAG.finditer(value) if tag[2].lower() in names]
    opened: dict[str, list[int]] = {}
    stripped = []
    for at, tag in enumerate(tags):
        name = tag[2].lower()
        if name in _UNCLOSED_TAGS:
            stripped.append(at)
        elif not tag[1]:
            opened.setdefault(name, []).append(at)
        elif opened.get(name):
            stripped += (opened[name].pop(), at)
    pieces: list[str] = []
    start = 0
    for at in sorted(stripped):
        tag = tags[at]
        pieces += (value[start : tag.start()], " " if tag[2].lower() in _SPACES else "")
        start = tag.end()
    return "".join([*pieces, value[start:]])


def _character(entity: re.Match[str]) -> str:
    """The character of an entity, or the text itself: `&T`, `&region`. html.unescape reads the latter as ®ion."""
    import html  # imported here because a build without changes does not need it
    from html.entities import html5

    return html5.get(entity[1], entity[0]) if entity[1] else html.unescape(entity[0])


def headline(title: str, *provider: str) -> str:
    """The title without its provider at the end, as in “Ferry fares to rise - Harbour Post”.

    `provider` are the provider's names and its domain. They are compared by letters and digits only, and the parts of a
    domain count as names: harbourpost.example is Harbour Post. A title is never empty.
    """
    names: set[str] = set()
    for _ in range(3):  # some repeat it
        at = max(map(title.rfind, _TAILS))
        if at < 1:
            break
        if not names:
            parts = [p for name in provider if " " not in name for p in name.split(".")[:-1] if len(p) > 2]
            names = set(map(_letters, (*provider, *parts))) - {""}
        if _letters(title[at + 3 :].removeprefix("www.")) not in names:
            break
        title = title[:at].rstrip()
    return title


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


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
            folded = sign.sub(name, folded)
        # Keep combining marks (M): without them Hindi and Thai words would be split.
        words = "-".join("".join(c if unicodedata.category(c)[0] in "LNM" else " " for c in folded).split())
        if "σ" in words:
            words = _FINAL_SIGMA.sub("ς", words)
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
