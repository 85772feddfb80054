"""Canonical keys: all URLs of one text have one key.

A key is never shown or followed; it only decides whether two URLs lead to the same text. It ignores the scheme,
tracking parameters, AMP copies, `www.` and mobile hosts, default ports, closing slashes and the fragment, unless it is
a route: applications in one page put the address of a text behind `#/` or `#!`. URLs are parsed as browsers parse them
(https://url.spec.whatwg.org/); `urllib.parse` differs for backslashes, hosts and stray characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from string import ascii_letters, digits
from unicodedata import category, normalize
from urllib.parse import quote, unquote

# Parameters that identify a campaign, a click or a reader, but never a text.
_TRACKING = re.compile(
    r"""
    # a campaign
      utm(?:_\w*)? | mtm(?:_\w*)? | (?:itm|otm|pk|hsa|vn)_\w* | (?:ga|hmb|ns)_\w+ |
      at_(?:medium|campaign|format|custom\d)
    | at_(?:link|ptr|bbc)\w* | cmp | cmpid | intcmp | s?cid | s_cid | icid | ocid | ncid | smid | smtyp | taid | ftag
    | xtor | spm | wt_?z?mc | wt\.(?:mc_id|nav\w*) | wtrid | [a-z]?mc | ceneo_spo | echobox | _openstat
    # a click
    | fbclid | gclid | gclsrc | dclid | gbraid | wbraid | srsltid | gs_l | _ga | _gl | msclkid | yclid | twclid | ttclid
    | igshid | igsh | li_fat_id | rb_clickid | wickedid
    # the reader of a newsletter
    | mc_(?:cid|eid|tc) | mkt_tok | ml_subscriber(?:_hash)? | _hs\w+ | __hs\w+ | hsctatracking | (?:vero|oly)_\w+ | __s
    | os_ehash
    # where the reader came from
    | ref_? | ref_src | ref_url | referrer | source | src | tracking_source | via | feature | guccounter | guce_\w+
    | clicksource | pgtype | rref | mtrref | iref | hpt | srnd
    # a share
    | fb_(?:source|ref) | fb_action_(?:types|ids) | action_(?:object|type|ref)_map | __twitter_impression | sr_share
    | soc_(?:src|trk)
    # an AMP copy
    | amp | outputtype | output_type | isamp | is_amp | noamp | usqp | amp_js_v | amp_gsa | amp_kit
    """,
    re.IGNORECASE | re.VERBOSE,
)
# These may hold the number of an article. A number may be all that distinguishes two texts, so it is kept.
_MAY_HOLD_ID = re.compile(r"(?:cid|ref_?|source|src|via|feature|[a-z]?mc)", re.IGNORECASE)

_URL = re.compile(
    r"(https?):[/\\]*([^/\\?#]*@)?(\[[^]/\\?#@]*\]|[^:/\\?#@]+)(?::([0-9]*))?(?![^/\\?#])([^?#]*)(?:\?([^#]*))?(?:#(.*))?",
    re.IGNORECASE | re.DOTALL,
)
_C0_OR_SPACE = "".join(map(chr, range(33)))
_REMOVE_TABS_AND_NEWLINES = str.maketrans("", "", "\t\n\r")
# Characters that mean the same with and without percent-encoding. The slash is an exception: %2F is not a separator.
_PATH_CHARACTERS = ascii_letters + digits + "-._~!$&'()*+,;=:@/"
_QUERY_CHARACTERS = ascii_letters + digits + "-._~!$'()*,=:@/"
_URL_CHARACTERS = "/[]@!$&'()*+,;=:%~"
_PLAIN_PATH = re.compile(r"[\w.~!$&'()*+,;=:@/-]*", re.ASCII)
_PLAIN_QUERY = re.compile(r"[\w.~!$'()*,=:@/&-]*", re.ASCII)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")

_PLAIN_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*")
_HOST = re.compile(r"[a-z0-9!\"$&'()*+,;=_`{}~-]+(?:\.[a-z0-9!\"$&'()*+,;=_`{}~-]+)*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
# Soft hyphens, zero-width characters and variation selectors. They are invisible and IDNA ignores them.
_IGNORED = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10)))
_MAX_HOST_LENGTH = 253
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?")

_HOST_PREFIX = re.compile(r"^(?:(?:www\d?|m|amp|mobile|wap)\.(?=[^.]+\.[^.]))+")
_AMP_HEAD = re.compile(r"^(?:/(?:google-amp|amp|amphtml|amp-stories)(?=/))+")
_AMP_CACHE = re.compile(r"/[a-z]/(?:s/)?(.+)")
_VIEWER_HOST = re.compile(r"google\.(?:com?\.)?[a-z]{2,3}")
_VIEWER = re.compile(r"/amp/(?:s/)?((?=[^/.]+\.)[^/]+/.*)")
# "/." and "/.." can remain after ".amp" is removed, as from "/..amp".
_AMP_AND_INDEX_SUFFIXES = (
    *("/", "/.", "/..", "/amp", ".amp", "/amp.htm", ".amp.htm", "/amp.html", ".amp.html"),
    *(f"/{name}.{kind}" for name in ("index", "default") for kind in ("htm", "html", "php", "asp", "aspx")),
)
# A URL of an AMP copy may contain the URL of another copy. A URL nested deeper than this is an attack.
_MAX_COPIES = 4


@lru_cache(maxsize=65536)
def host(value: str) -> str:
    """The normalised form of a domain: lower case, ASCII (IDNA), no `www.`, no port, no closing dot; "" if invalid.

    >>> host("WWW.Exämple.org:443")
    'xn--exmple-cua.org'
    """
    name, _, port = value.strip().partition(":")
    if port and not port.isdigit():
        return ""
    name = _normalised_host(name).removeprefix("www.")
    return name if _DOMAIN.fullmatch(name) else ""


@lru_cache(maxsize=1 << 14)
def key(url: str) -> str:
    """The canonical key of an http(s) URL; "" if the URL is invalid.

    >>> key("https://www.example.org/a/amp/?utm_source=x#top")
    'example.org/a'
    """
    for _ in range(_MAX_COPIES):
        name, path, query, route = _split(url)
        original = None
        if name.endswith(".cdn.ampproject.org"):
            original = _AMP_CACHE.fullmatch(path)
            name = ""
        elif name.startswith("google.") and _VIEWER_HOST.fullmatch(name):
            original = _VIEWER.fullmatch(path)
        if original:
            url = f"https://{original[1]}?{query}"
        elif name:
            return name + _without_amp_and_index(path) + _without_tracking(query) + (route and _normalised_route(route))
        else:
            break
    return ""


def identifies_text(key: str) -> bool:
    """Whether the key identifies a text. A front page does not; some sources give it as the URL of an article."""
    return "/" in key or "?" in key or "#" in key


def domain(key: str) -> str:
    """The normalised domain in a canonical key."""
    return host(re.split(r"[/?#]", key, maxsplit=1)[0])


@lru_cache(maxsize=1 << 14)
def web_address(url: str) -> str:
    """The http(s) URL as browsers parse it, percent-encoded; "" if it is invalid or contains a user name.

    In contrast to a key, the result leads to the same place as the URL.

    >>> web_address(r"HTTPS:\\\\Example.org\\a\\..\\b c")
    'https://example.org/b%20c'
    """
    url = _cleaned(url)
    parts = _URL.match(f"https:{url}" if re.match(r"[/\\]{2}", url) else url)
    name = _normalised_host(parts[3]) if parts else ""
    if not parts or parts[2] or not _DOMAIN.fullmatch(name):
        return ""
    scheme, port = parts[1].lower(), parts[4] or ""
    if port:
        port = port.lstrip("0") or "0"
        if len(port) > 5 or int(port) > 65535:
            return ""
        port = "" if port == {"http": "80", "https": "443"}[scheme] else f":{port}"
    address = f"{scheme}://{name}{port}" + quote(_resolved(parts[5].replace("\\", "/")), safe=_URL_CHARACTERS)
    for mark, part in (("?", parts[6]), ("#", parts[7])):
        address += "" if part is None else mark + quote(part, safe=_URL_CHARACTERS + "?")
    return address


def _cleaned(url: str) -> str:
    """The URL without the characters that browsers remove before they parse it."""
    url = url.strip(_C0_OR_SPACE)
    if url.isascii() and url.isprintable():
        return url
    # A lone surrogate becomes U+FFFD, as in browsers, because it cannot be encoded.
    return url.translate(_REMOVE_TABS_AND_NEWLINES).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _split(url: str) -> tuple[str, str, str, str]:
    """The host with port, the path, the query and the route of an http(s) URL; the host is "" if the URL is invalid.

    Host and path are normalised, the query and the route are not.
    """
    parts = _URL.match(_cleaned(url))
    name = _normalised_host(parts[3]) if parts else ""
    if not parts or not name:
        return "", "", "", ""
    name = _HOST_PREFIX.sub("", name)
    if parts[4]:
        port = parts[4].lstrip("0") or "0"
        if len(port) > 5 or int(port) > 65535:
            return "", "", "", ""
        if port not in ("80", "443"):
            name += f":{port}"
    path = parts[5]
    if not _PLAIN_PATH.fullmatch(path):
        path = _normalised_escapes(path.replace("\\", "/"), _PATH_CHARACTERS)
    route = parts[7] or ""
    return name, _without_dot_segments(path), parts[6] or "", route if route.startswith(("/", "!")) else ""


def _normalised_host(given: str) -> str:
    """A host as browsers parse it: with escapes, IDNA and IP addresses normalised; "" if invalid."""
    name = given.lower()
    if _PLAIN_HOST.fullmatch(name) and "xn--" not in name and len(name) <= _MAX_HOST_LENGTH:
        return name
    try:
        if name.startswith("["):
            return "" if "%" in name else f"[{IPv6Address(name[1:-1]).compressed}]"
        name = _to_ascii(unquote(given)).removesuffix(".")
        if not _HOST.fullmatch(name) or len(name) > _MAX_HOST_LENGTH:
            return ""
        return _parse_ipv4(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name
    except ValueError:
        return ""


def _to_ascii(name: str) -> str:
    """IDNA as in UTS 46, as far as the standard library allows. Its `idna` codec is not used: it maps "ß" to "ss"."""
    if name.isascii() and "xn--" not in name.lower():
        return name.lower()
    if len(name) > _MAX_HOST_LENGTH:
        raise ValueError(name)
    labels = []
    for label in _fold(name).replace("\u3002", ".").split("."):
        encoded = label.startswith("xn--")
        decoded = label[4:].encode("ascii").decode("punycode") if encoded else label
        if any(char == "\ufffd" or category(char)[0] in "CZ" for char in decoded):
            raise ValueError(label)
        labels.append(decoded if decoded.isascii() else "xn--" + decoded.encode("punycode").decode("ascii"))
        if encoded and (labels[-1] != label or _fold(decoded) != decoded):
            raise ValueError(label)
    return ".".join(labels)


def _fold(name: str) -> str:
    """Maps compatible characters to one form. Runs twice, because a character may expand to several capital letters."""
    for _ in range(2):
        name = normalize("NFKC", "".join(map(str.lower, name))).translate(_IGNORED)
    return name


def _parse_ipv4(name: str) -> str:
    """An IPv4 address given as one to four numbers; "" if invalid. The last number fills the remaining bytes.

    A number is octal after "0", hexadecimal after "0x".
    """
    parts = name.split(".")
    if not all(map(_NUMBER.fullmatch, parts)):
        return ""
    *first, last = (int(p[2:] or "0", 16) if p.startswith("0x") else int(p, 8 if p[0] == "0" else 10) for p in parts)
    if len(first) > 3 or max(first, default=0) > 255 or last >= 256 ** (4 - len(first)):
        return ""
    return str(IPv4Address(last + sum(number << 8 * (3 - at) for at, number in enumerate(first))))


def _without_amp_and_index(path: str) -> str:
    """The path without the additions of AMP copies and index pages."""
    if path.startswith(("/amp", "/google-amp")):
        path = _AMP_HEAD.sub("", path)
    while path.endswith(_AMP_AND_INDEX_SUFFIXES):
        path = path[: -len(next(suffix for suffix in _AMP_AND_INDEX_SUFFIXES if path.endswith(suffix)))]
    return path


def _without_tracking(query: str) -> str:
    """The query with `?`, with its parameters sorted and without tracking parameters; "" if none remain."""
    if not query:
        return ""
    plain = bool(_PLAIN_QUERY.fullmatch(query))
    if not plain:
        # Some tools write a second `?` in place of `&`.
        query = query.replace(";", "&").replace("?", "&").replace("+", "%20")
    parameters = (part if plain else _normalised_escapes(part, _QUERY_CHARACTERS) for part in query.split("&") if part)
    kept = sorted(parameter for parameter in parameters if not _is_tracking(parameter))
    return "?" + "&".join(kept) if kept else ""


def _is_tracking(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.removeprefix("%3F")
    return bool(_TRACKING.fullmatch(name)) and not (value.isdigit() and _MAY_HOLD_ID.fullmatch(name))


def _normalised_escapes(value: str, plain: str) -> str:
    """Decodes the percent-escapes of `plain` characters and writes all others in upper case."""

    def normalise(escape: re.Match[str]) -> str:
        if not escape[1]:
            return "%25"
        char = chr(int(escape[1], 16))
        return char if char in plain and char != "/" else escape[0].upper()

    return _ESCAPE.sub(normalise, quote(value, safe=plain + "%"))


def _without_dot_segments(path: str) -> str:
    """The path without dot segments and empty segments."""
    if "/." not in path and "//" not in path:
        return path
    out: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            del out[-1:]
        elif part != ".":
            out.append(part)
    return "/" + "/".join(filter(None, out))


def _resolved(path: str) -> str:
    """The path with its dot segments resolved (https://url.spec.whatwg.org/#path-state). Empty segments stay."""
    if "." not in path and "%2e" not in path.lower():
        return path
    out: list[str] = []
    *parts, last = path.split("/")[1:] or [""]
    for part in parts:
        if _is_dots(part, 2):
            del out[-1:]
        elif not _is_dots(part, 1):
            out.append(part)
    if _is_dots(last, 2):
        del out[-1:]
    out.append("" if _is_dots(last, 1) or _is_dots(last, 2) else last)
    return "/" + "/".join(out)


def _is_dots(segment: str, count: int) -> bool:
    return len(segment) <= 3 * count and re.sub("%2e", ".", segment, flags=re.IGNORECASE) == "." * count


def _normalised_route(route: str) -> str:
    """The route of a fragment with `#`, normalised like a path and a query; "" if it leads to the page itself."""
    path, _, query = route.partition(":~:")[0].partition("?")  # a text fragment only scrolls
    path, query = _normalised_escapes(path, _PATH_CHARACTERS).rstrip("/"), _without_tracking(query)
    if path in ("", "!"):
        return f"#{path or '/'}{query}" if query else ""
    return f"#{path}{query}"


class Blocklist:
    """Blocked domains, which include their sub-domains, and blocked texts, which match under all their URLs.

    `provider` returns the domain of the provider that a canonical key belongs to.
    """

    def __init__(
        self, domains: tuple[str, ...], urls: tuple[str, ...], provider: Callable[[str], str] = domain
    ) -> None:
        self._provider = provider
        self._domains = frozenset(filter(None, map(host, domains)))
        self._keys = frozenset(filter(None, map(key, urls)))

    def __bool__(self) -> bool:
        return bool(self._domains or self._keys)

    def has(self, name: str) -> bool:
        """Whether a URL, a canonical key or a domain is blocked."""
        key_or_domain = key(f"https:{name}" if name.startswith("//") else name) if "//" in name else name
        if key_or_domain in self._keys:
            return True
        domains = [domain(key_or_domain), self._provider(key_or_domain)]
        while any(domains):
            if not self._domains.isdisjoint(domains):
                return True
            domains = [name.partition(".")[2] for name in domains]
        return False
