"""One key for one piece of coverage, whatever address it was found under.

A key is never shown or followed: it only says that two addresses lead to the same text. It forgets the scheme, tracking
parameters, AMP copies, `www.` and mobile hosts, default ports, closing slashes and the fragment. Addresses are read as
browsers read them (WHATWG's URL standard); `urllib.parse` reads backslashes, hosts and stray characters differently.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from string import ascii_letters, digits
from unicodedata import category, normalize
from urllib.parse import quote, unquote

# Parameters that name a campaign, a click or a reader, never a text.
_TRACKING = re.compile(
    r"""
    # a campaign
      utm(?:_\w*)? | mtm(?:_\w*)? | (?:itm|otm|pk|hsa|vn)_\w* | (?:ga|hmb|ns)_\w+ | at_(?:medium|campaign|format|custom\d)
    | at_(?:link|ptr|bbc)\w* | cmp | cmpid | intcmp | s?cid | s_cid | icid | ocid | ncid | smid | smtyp | taid | ftag
    | xtor | spm | wt_?z?mc | wt\.(?:mc_id|nav\w*) | wtrid | [a-z]?mc | ceneo_spo | echobox | _openstat
    # a click
    | fbclid | gclid | gclsrc | dclid | gbraid | wbraid | srsltid | gs_l | _ga | _gl | msclkid | yclid | twclid | ttclid
    | igshid | igsh | li_fat_id | rb_clickid | wickedid
    # a newsletter's reader
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
# `ref` and its like may be all that tells two texts apart where nothing else does: an article's number.
_NUMBERED = re.compile(r"(?:cid|ref_?|source|src|via|feature|[a-z]?mc)", re.IGNORECASE)

_URL = re.compile(
    r"https?:[/\\]*(?:[^/\\?#]*@)?(\[[^]/\\?#@]*\]|[^:/\\?#@]+)(?::([0-9]*))?(?![^/\\?#])([^?#]*)(?:\?([^#]*))?",
    re.IGNORECASE,
)
_ENDS = "".join(map(chr, range(33)))
_BREAKS = str.maketrans("", "", "\t\n\r")
# Each stands for itself, escaped or not; but an escaped slash is no slash.
_IN_PATH = ascii_letters + digits + "-._~!$&'()*+,;=:@/"
_IN_QUERY = ascii_letters + digits + "-._~!$'()*,=:@/"
_PLAIN_PATH = re.compile(r"[\w.~!$&'()*+,;=:@/-]*", re.ASCII)
_PLAIN_QUERY = re.compile(r"[\w.~!$'()*,=:@/&-]*", re.ASCII)
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")

_PLAIN_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*")
_NAME = re.compile(r"[a-z0-9!\"$&'()*+,;=_`{}~-]+(?:\.[a-z0-9!\"$&'()*+,;=_`{}~-]+)*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
# Soft hyphens, joiners of words and choices between glyphs: they do not show, and are no part of a name.
_UNSEEN = dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF, *range(0xFE00, 0xFE10)))
_LONGEST = 253
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?")

_HOST_PREFIX = re.compile(r"^(?:(?:www\d?|m|amp|mobile|wap)\.(?=[^.]+\.[^.]))+")
_AMP_HEAD = re.compile(r"^(?:/(?:google-amp|amp|amphtml|amp-stories)(?=/))+")
_AMP_CACHE = re.compile(r"/[a-z]/(?:s/)?(.+)")
_VIEWER_HOST = re.compile(r"google\.(?:com?\.)?[a-z]{2,3}")
_VIEWER = re.compile(r"/amp/(?:s/)?((?=[^/.]+\.)[^/]+/.*)")
# The dots are what is left of "/..amp".
_TAILS = (
    *("/", "/.", "/..", "/amp", ".amp", "/amp.htm", ".amp.htm", "/amp.html", ".amp.html"),
    *(f"/{name}.{kind}" for name in ("index", "default") for kind in ("htm", "html", "php", "asp", "aspx")),
)
# Copies within copies; an address deeper than this was made to cost time.
_DEEPEST = 4


@lru_cache(maxsize=65536)
def host(value: str) -> str:
    """A domain in its one form: lower case, ASCII (IDNA), no `www.`, no port, no closing dot; "" for what is none.

    >>> host("WWW.Exämple.org:443")
    'xn--exmple-cua.org'
    """
    name, _, port = value.strip().partition(":")
    if port and not port.isdigit():
        return ""
    name = _name(name).removeprefix("www.")
    return name if _DOMAIN.fullmatch(name) else ""


@lru_cache(maxsize=1 << 14)
def key(url: str) -> str:
    """The canonical key of an http(s) URL, "" where it cannot be one.

    >>> key("https://www.example.org/a/amp/?utm_source=x#top")
    'example.org/a'
    """
    for _ in range(_DEEPEST):
        name, path, query = _read(url)
        copied = None
        if name.endswith(".cdn.ampproject.org"):
            copied = _AMP_CACHE.fullmatch(path)
            name = ""
        elif name.startswith("google.") and _VIEWER_HOST.fullmatch(name):
            copied = _VIEWER.fullmatch(path)
        if copied:
            url = f"https://{copied[1]}?{query}"
        elif name:
            return name + _shortened(path) + _kept(query)
        else:
            break
    return ""


def joins(key: str) -> bool:
    """Whether the key names a text: a site's front page, given as address by careless sources, names none."""
    return "/" in key or "?" in key


def _read(url: str) -> tuple[str, str, str]:
    """Host with port, path and query of an http(s) URL, the first two in their one form; "" as host for anything else."""
    url = url.strip(_ENDS)
    if not (url.isascii() and url.isprintable()):
        # Half a character becomes U+FFFD, as in browsers: it could not be encoded.
        url = url.translate(_BREAKS).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    parts = _URL.match(url)
    name = _name(parts[1]) if parts else ""
    if not parts or not name:
        return "", "", ""
    name = _HOST_PREFIX.sub("", name)
    if parts[2]:
        port = parts[2].lstrip("0") or "0"
        if len(port) > 5 or int(port) > 65535:
            return "", "", ""
        if port not in ("80", "443"):
            name += f":{port}"
    path = parts[3]
    if not _PLAIN_PATH.fullmatch(path):
        path = _escapes(path.replace("\\", "/"), _IN_PATH)
    return name, _dots(path), parts[4] or ""


def _name(given: str) -> str:
    """A host as browsers read it: escapes, IDNA and IP addresses in their one form; "" for what is none."""
    name = given.lower()
    if _PLAIN_NAME.fullmatch(name) and "xn--" not in name and len(name) <= _LONGEST:
        return name
    try:
        if name.startswith("["):
            return "" if "%" in name else f"[{IPv6Address(name[1:-1]).compressed}]"
        name = _ascii(unquote(given)).removesuffix(".")
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            return ""
        return _ipv4(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name
    except ValueError:
        return ""


def _ascii(name: str) -> str:
    """IDNA by UTS 46, as far as the standard library knows it: its own codec takes "ß" for "ss"."""
    if name.isascii() and "xn--" not in name.lower():
        return name.lower()
    if len(name) > _LONGEST:
        raise ValueError(name)
    labels = []
    for label in _folded(name).replace("\u3002", ".").split("."):
        ace = label.startswith("xn--")
        shown = label[4:].encode("ascii").decode("punycode") if ace else label
        if any(char == "\ufffd" or category(char)[0] in "CZ" for char in shown):
            raise ValueError(label)
        labels.append(shown if shown.isascii() else "xn--" + shown.encode("punycode").decode("ascii"))
        if ace and (labels[-1] != label or _folded(shown) != shown):
            raise ValueError(label)
    return ".".join(labels)


def _folded(name: str) -> str:
    """Signs that are one to the reader made one; twice, for a sign of several letters may stand for capital ones."""
    for _ in range(2):
        name = normalize("NFKC", "".join(map(str.lower, name))).translate(_UNSEEN)
    return name


def _ipv4(name: str) -> str:
    """An IPv4 address of one to four numbers, the last of which fills the rest; octal after "0", hexadecimal after "0x"."""
    parts = name.split(".")
    if not all(map(_NUMBER.fullmatch, parts)):
        return ""
    *first, last = (int(p[2:] or "0", 16) if p.startswith("0x") else int(p, 8 if p[0] == "0" else 10) for p in parts)
    if len(first) > 3 or max(first, default=0) > 255 or last >= 256 ** (4 - len(first)):
        return ""
    return str(IPv4Address(last + sum(number << 8 * (3 - at) for at, number in enumerate(first))))


def _shortened(path: str) -> str:
    """A path without what an AMP copy or a folder's index page adds."""
    if path.startswith(("/amp", "/google-amp")):
        path = _AMP_HEAD.sub("", path)
    while path.endswith(_TAILS):
        path = path[: -len(next(tail for tail in _TAILS if path.endswith(tail)))]
    return path


def _kept(query: str) -> str:
    """What is left of a query without tracking, sorted; with its `?`, if anything is."""
    if not query:
        return ""
    plain = bool(_PLAIN_QUERY.fullmatch(query))
    if not plain:
        # Careless tools write a second `?` where `&` belongs.
        query = query.replace(";", "&").replace("?", "&").replace("+", "%20")
    found = (part if plain else _escapes(part, _IN_QUERY) for part in query.split("&") if part)
    kept = sorted(part for part in found if not _tracks(part))
    return "?" + "&".join(kept) if kept else ""


def _tracks(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    name = name.removeprefix("%3F")
    return bool(_TRACKING.fullmatch(name)) and not (value.isdigit() and _NUMBERED.fullmatch(name))


def _escapes(value: str, plain: str) -> str:
    """Percent-escapes in one form: none where a plain character would do, upper case elsewhere."""

    def form(escape: re.Match[str]) -> str:
        if not escape[1]:
            return "%25"
        char = chr(int(escape[1], 16))
        return char if char in plain and char != "/" else escape[0].upper()

    return _ESCAPE.sub(form, quote(value, safe=plain + "%"))


def _dots(path: str) -> str:
    """A path without dot segments and empty ones."""
    if "/." not in path and "//" not in path:
        return path
    out: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            del out[-1:]
        elif part != ".":
            out.append(part)
    return "/" + "/".join(filter(None, out))


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
