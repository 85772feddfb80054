"""One key for one piece of coverage, whatever address it was found under.

A key is never shown or followed: it only says that two addresses lead to the same text. It forgets the scheme, tracking
parameters, AMP copies, `www.` and mobile hosts, default ports, closing slashes and the fragment.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes, urlsplit

# Parameters that name a campaign, a click or a reader, never a text.
_TRACKING = re.compile(
    r"(?:utm_\w*|mtm_\w*|pk_\w*|hsa_\w*|_hs\w+|at_(?:medium|campaign|custom\d|link\w*|format|ptr\w*|bbc\w*)|vero_\w+|oly_\w+|ns_\w+"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|igshid|igsh|li_fat_id|mc_cid|mc_eid|mkt_tok"
    r"|ref|ref_src|ref_url|referrer|source|src|cmp|cmpid|cid|icid|ocid|ncid|sr_share|smid|smtyp|ftag"
    r"|taid|__twitter_impression|_ga|_gl|spm|scid|xtor|wt_mc|wt\.mc_id|feature|guccounter|guce_\w+|soc_src|soc_trk|via"
    r"|amp|outputtype|output_type|isamp|is_amp|noamp|usqp|amp_js_v|amp_gsa|amp_kit)",
    re.IGNORECASE,
)
# `ref` and its like may be all that tells two texts apart where nothing else does: an article's number.
_NUMBERED = re.compile(r"(?:cid|ref|source|src|via|feature)", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:www\d?|m|amp|mobile|wap)\.(?=[^.]+\.[^.]+)")
_AMP_TAIL = re.compile(r"(?:/amp(?:\.html?)?|[./]amp\.html?|\.amp)/?$")
_AMP_HEAD = re.compile(r"^/(?:google-amp|amp|amphtml|amp-stories)(?=/)")
_AMP_CACHE = re.compile(r"^/[a-z]/(?:s/)?(.+)$")
_VIEWER = re.compile(r"^/amp/(?:s/)?([^/]+\.[^/]+/.*)$")
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$")


def host(value: str) -> str:
    """A domain in its one form: lower case, ASCII (IDNA), no `www.`, no port, no closing dot; "" for what is none.

    >>> host("WWW.Exämple.org:443")
    'xn--exmple-cua.org'
    """
    name = value.strip().lower().removesuffix(".")
    name, _, port = name.partition(":")
    if port and not port.isdigit():
        return ""
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    name = name.removeprefix("www.")
    return name if re.fullmatch(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9])?", name) and ".." not in name else ""


@lru_cache(maxsize=65536)
def key(url: str) -> str:
    """The canonical key of an http(s) URL, "" where it cannot be one.

    >>> key("https://www.example.org/a/amp/?utm_source=x#top")
    'example.org/a'
    """
    try:
        parts = urlsplit(url.strip())
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not name:
        return ""
    path, query = _escapes(parts.path), parts.query
    cached = _AMP_CACHE.match(path) if name.endswith(".cdn.ampproject.org") else None
    if cached is None and name in ("www.google.com", "google.com"):
        cached = _VIEWER.match(path)
    if cached:
        return key(f"https://{cached[1]}" + (f"?{query}" if query else ""))
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    name = _HOST_PREFIX.sub("", name)
    if port not in (None, 80, 443):
        name += f":{port}"
    path = _INDEX.sub("/", _AMP_TAIL.sub("", _AMP_HEAD.sub("", _dots(path)))).rstrip("/")
    kept = [p for p in query.replace(";", "&").split("&") if p and not _tracks(p)]
    return name + path + ("?" + "&".join(sorted(map(_escapes, kept))) if kept else "")


def joins(key: str) -> bool:
    """Whether the key names a text: a site's front page, given as address by careless sources, names none."""
    return "/" in key or "?" in key


def _tracks(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    found = _TRACKING.fullmatch(name)
    return bool(found) and not (value.isdigit() and _NUMBERED.fullmatch(name))


def _escapes(value: str) -> str:
    """Percent-escapes in one form: decoded where a plain character would do, upper case elsewhere."""
    if "%" not in value and value.isascii() and " " not in value:
        return value
    return quote(
        unquote_to_bytes(value.replace("%2F", "%252F").replace("%2f", "%252F")), safe="/!$&'()*+,;=:@~?-._"
    ).replace("%252F", "%2F")


def _dots(path: str) -> str:
    """Dot segments removed, as in RFC 3986, 5.2.4."""
    if "/." not in path and "//" not in path:
        return path
    out: list[str] = []
    for part in path.split("/"):
        if part == "..":
            out = out[:-1]
        elif part not in (".", ""):
            out.append(part)
    return "/" + "/".join(out)


class Blocklist:
    """What must appear nowhere: domains with their sub-domains, and single texts by any of their addresses."""

    def __init__(self, domains: tuple[str, ...], urls: tuple[str, ...]) -> None:
        self._domains = frozenset(filter(None, map(host, domains)))
        self._keys = frozenset(filter(None, map(key, urls)))

    def __bool__(self) -> bool:
        return bool(self._domains or self._keys)

    def has(self, name: str) -> bool:
        """Whether a URL, a canonical key or a domain is on the list."""
        found = key(f"https:{name}" if name.startswith("//") else name) if "//" in name else name
        if found in self._keys:
            return True
        domain = host(re.split(r"[/?]", found, maxsplit=1)[0])
        while domain:
            if domain in self._domains:
                return True
            domain = domain.partition(".")[2]
        return False
