"""The addresses of all pages. No other module builds addresses.

An address begins with a slash and does not include the path of `base_url`. Spaces and letters of all scripts stand in
it as they are; a `%` begins an escape, `?` the query and `#` the fragment, as in a URL. `spelled` brings an address
that a person wrote into this form. `href` turns an address into a link, `path` into the output file that serves it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache
from urllib.parse import quote, unquote

from newsgen import text, times
from newsgen.model import Article, Attachment, Image, by_time

_PLAIN = re.compile(r"[\w/!$&'()*+,;=:@~.?#-]*", re.ASCII).fullmatch
_SAFE = "/!$&'()*+,;=:@~-._?#%"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# Escapes of characters that stand for nothing else in a URL: `href` writes them as the same escapes again.
_READABLE = re.compile("(?:%(?:2[02]|3[CEce]|5[BDEbde]|60|7[B-Db-d]|[89A-Fa-f][0-9A-Fa-f]))+")
# Characters that no address holds unescaped: controls, and those that UTF-8 cannot encode.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def candidates(article: Article, pattern: str, zone: tzinfo) -> tuple[str, str]:
    """The address that the permalink `pattern` gives an article, and the one that it gets if that is in use.

    If articles would share an address, the earliest keeps it and each of the others gets six digits of its id's digest.
    So a later article never moves an earlier one. Held articles count too, so that publishing one later moves nothing.
    """
    fill = _filler(pattern, zone)
    return fill(article, article.slug), fill(article, f"{article.slug}-{text.digest6(article.id)}")


def _unique(
    articles: Iterable[Article], spell: Callable[[Article, str], str], taken: Iterable[str] = ()
) -> dict[str, str]:
    """What `spell` makes of each article and its slug, by the article's id. If that is in use, the slug gets six digits.

    The earliest article keeps its slug as it is. `taken` is in use from the beginning.
    """
    out: dict[str, str] = {}
    used = set(taken)
    for article in sorted(articles, key=by_time):
        name = spell(article, article.slug)
        if name in used:
            name = spell(article, f"{article.slug}-{text.digest6(article.id)}")
        used.add(name)
        out[article.id] = name
    return out


_TOKEN = re.compile(":(year|month|day|slug|category|provider)")
_DATES = ("year", "month", "day")


@lru_cache(maxsize=4)
def _filler(pattern: str, zone: tzinfo) -> Callable[[Article, str], str]:
    """A function that fills a permalink pattern from an article and a slug. It computes only what the pattern uses."""
    used = _TOKEN.findall(pattern)
    dated = not set(_DATES).isdisjoint(used)
    others = [name for name in used if name not in _DATES]

    @cache
    def template(date: str) -> str:
        dates = dict(zip(_DATES, date.split("-"), strict=False))
        return _TOKEN.sub(lambda token: dates.get(token[1], "%s"), pattern.replace("%", "%%"))

    def value(name: str, article: Article, slug: str) -> str:
        if name == "slug":
            return slug
        if name == "provider":
            return article.provider or "own"
        return text.slug(article.category) if article.category else "posts"

    def fill(article: Article, slug: str) -> str:
        template_of_day = template(day(article.published, zone) if dated else "")
        return template_of_day % tuple([value(name, article, slug) for name in others])

    return fill


def day(moment: datetime, zone: tzinfo) -> str:
    """The day of a time in the site's time zone, in the form 2026-11-08."""
    return _iso(times.local(moment, zone).date())


_iso = lru_cache(maxsize=1 << 14)(date.isoformat)


def anchors(files: Iterable[Article], taken: Iterable[str] = ()) -> dict[str, str]:
    """A unique name on the page of their story for each of these articles, by its id: the one in its address.

    The earlier of two articles with one name keeps it, as in `articles`. `taken` are the ids of other elements.
    """
    return _unique(files, lambda _, slug: slug, taken)


HOME = "/"
MANIFEST = "/manifest.webmanifest"


class Places:
    """The addresses of the lists of a site, and of the pages that it has once. `slugs` are their names in addresses."""

    def __init__(self, slugs: Mapping[str, str]) -> None:
        self.topics, self.categories, self.providers, self.sources, self.archive, self.search, self.following = (
            f"/{slugs[name]}/"
            for name in ("topics", "categories", "providers", "sources", "archive", "search", "following")
        )
        self.page = slugs["page"]
        self.sections = {"topic": self.topics, "provider": self.providers, "category": self.categories}

    def section(self, axis: str, key: str) -> str:
        """The first page of a section. `key` is the slug of a topic or category, a provider's domain or a day."""
        if axis == "day":
            return self.archive + key.replace("-", "/") + "/"
        return self.sections[axis] + key + "/"

    def archive_of(self, *parts: str) -> str:
        """The archive page of a year, or of a year and month."""
        return self.archive + "".join(p + "/" for p in parts)

    def numbered(self, address: str, number: int) -> str:
        """A page of a list. Pages count from the oldest, starting at 1; 0 is the first page that readers see."""
        return f"{address}{self.page}/{number}/" if number else address


def page(name: str) -> str:
    """The address of a plain page."""
    return f"/{name}/"


ATTACHMENTS = "/attachments/"


def attachment(digest: bytes, encoder: str, source: str, suffix: str) -> str:
    """The address of a file that content files name: it differs for different bytes, and is the same for the same.

    A document keeps its name, because readers keep documents. `encoder` is as in `model.Attachment`.
    """
    name = text.digest(digest + encoder.encode())[:20] if encoder else digest.hex()[:20]
    stem = source.rpartition("/")[2].rpartition(".")[0]
    return f"{ATTACHMENTS}{name}/{text.slug(stem)}.pdf" if suffix == "pdf" else f"{ATTACHMENTS}{name}.{suffix}"


def copy(address: str, width: int, format: str) -> str:
    """The address of a smaller copy of the picture at an address."""
    return f"{address.rpartition('.')[0]}-{width}.{format}"


def srcset(image: Image | Attachment, format: str, root: str) -> str:
    """The smaller copies of a picture in a format, as the attribute `srcset` names them."""
    address = image.url if isinstance(image, Image) else image.address
    return ", ".join(f"{href(copy(address, width, format), root)} {width}w" for width in image.widths)


def json(address: str) -> str:
    """The JSON of the list at an address."""
    return f"{address}index.json"


FEEDS = {"rss": "feed.xml", "atom": "atom.xml", "jsonfeed": "feed.json"}
"""The file name of each feed kind. A feed is in the folder of the page it belongs to."""


def spelled(written: str) -> str:
    """The address that a person wrote, in the one spelling of this module; "" if it is not an address on this site.

    A space is accepted, and an escape is kept, so `/a b/` and `/a%20b/` are the same address.
    """
    value = written.strip()
    if not value.startswith(("/", "\\")):
        return ""
    # Browsers read a backslash as a slash (https://url.spec.whatwg.org/#path-state), but not in a query or fragment.
    value = re.sub(r"\A[^?#]+", lambda path: path[0].replace("\\", "/"), value)
    if value.startswith("//") or _CONTROL.search(value):
        return ""
    return _READABLE.sub(_decoded, _STRAY_PERCENT.sub("%25", value))


def _decoded(escapes: re.Match[str]) -> str:
    try:
        decoded = unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]
    return escapes[0] if _CONTROL.search(decoded) else decoded


# A path without a slash at its beginning. It has one elsewhere or an ending, and no spaces: Obsidian keeps other titles
# of a note in `aliases`.
_RELATIVE_PATH = re.compile(r"(?![/\\]|[A-Za-z][A-Za-z0-9+.-]*:)\S*(?:/\S*|\.[A-Za-z0-9]{2,5})")
# A backslash, a control character, a Windows drive or a file of newsgen's own.
_UNSAFE_NAME = re.compile(r"[\\\x00-\x1f\x7f-\x9f]|\A/+(?:[a-z]:|\.newsgen)", re.IGNORECASE)
MAX_OLD, MAX_NAME = 500, 255
"""The characters of an old address, and the bytes between two of its slashes."""


def old(written: str) -> tuple[str, str, str]:
    """The old address that a person wrote; or what is wrong with it, and what to do.

    A file can answer it: it has no query and no fragment, and leads nowhere out of the output folder. The slash at the
    beginning may be missing.
    """
    address = spelled("/" + written if _RELATIVE_PATH.fullmatch(written) else written)
    try:
        name = unquote(address, errors="strict")
    except UnicodeDecodeError:
        return "", "has escapes that are not UTF-8", "write é as é or %C3%A9"
    parts = name.split("/")
    if not address or "\\" in written or _UNSAFE_NAME.search(name) or {".", ".."} & {*parts}:
        return "", "is not an address on this site", "write the old path, such as /2019/07/name/"
    if "?" in address or "#" in address:
        what = "has a query" if "?" in address else "has a fragment"
        return "", f"{what}, which no file can answer", "redirect it at the host, or remove it"
    if len(address) > MAX_OLD or any(len(part.encode()) > MAX_NAME for part in parts):
        return "", "is too long", f"the maximum is {MAX_OLD} characters, with {MAX_NAME} bytes between two slashes"
    return re.sub("//+", "/", address), "", ""


def stub(old: str) -> str:
    """The output file that answers an old address."""
    return path(old if old.endswith((".html", ".htm", "/")) else old + "/")


def path(address: str) -> str:
    """The output file that serves an address."""
    if "%" in address or "?" in address or "#" in address:
        address = unquote(re.split("[?#]", address, maxsplit=1)[0])
    return file(address[1:])


def file(path: str) -> str:
    """The output file that serves the decoded path of a URL, without its first slash."""
    return path + "index.html" if path.endswith("/") or not path else path


def address(path: str) -> str:
    """The address that an output file serves: the inverse of `path`."""
    if path == "index.html" or path.endswith("/index.html"):
        path = path.removesuffix("index.html")
    return "/" + path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def href(address: str, root: str = "/") -> str:
    """The address as a link target, percent-encoded and below `root`. An http(s) URL is returned unchanged."""
    if not address.startswith("/"):
        return address
    full = root + address[1:]
    return full if _PLAIN(full) else quote(_STRAY_PERCENT.sub("%25", full), safe=_SAFE)


def absolute(address: str, base: str) -> str:
    """The full URL of an address. An http(s) URL is returned unchanged."""
    return base + href(address) if address.startswith("/") else address
