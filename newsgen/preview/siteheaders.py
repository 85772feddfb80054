"""Reads the headers that a site's `_headers` sets, so that a browser treats the preview as it will treat the site.

https://developers.cloudflare.com/pages/configuration/headers/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_OWN = frozenset(
    {"cache-control", "connection", "content-encoding", "content-length", "content-type", "date", "etag", "location",
     "set-cookie", "strict-transport-security", "transfer-encoding"}
)  # fmt: skip
"""Headers that the preview sets itself, and those that would outlast it in the browser."""

_LINE = re.compile(r"\s+([A-Za-z0-9-]+):\s*([\x20-\x7e]*[\x21-\x7e])\s*")
_POLICY = "content-security-policy"


class Rule(NamedTuple):
    """The headers of all paths that a pattern matches."""

    pattern: re.Pattern[str]
    headers: dict[str, str]


def parse(text: str) -> list[Rule]:
    """The rules of a `_headers` file. Lines of any other form are left out."""
    rules: list[Rule] = []
    for line in text.splitlines():
        if line.startswith("/"):
            parts = re.split(r"(\*|:[A-Za-z]\w*)", line.strip())
            pattern = "".join(".*" if p == "*" else "[^/]+" if p[:1] == ":" else re.escape(p) for p in parts)
            rules.append(Rule(re.compile(pattern), {}))
        elif (found := _LINE.fullmatch(line)) and rules and found[1].lower() not in _OWN:
            rules[-1].headers[found[1].lower()] = found[2]
    return rules


def of(path: str, rules: list[Rule], *, live: bool) -> dict[str, str]:
    """The headers for a path, by lower-case name. With `live`, the policy also allows the preview's own script."""
    headers: dict[str, str] = {}
    for rule in rules:
        if rule.pattern.fullmatch(path):
            headers |= rule.headers
    if live and _POLICY in headers:
        headers[_POLICY] = "; ".join(_with_preview(headers[_POLICY]))
    return headers


def _with_preview(policy: str) -> Iterator[str]:
    """The directives of a policy that allows what the preview's script needs from this server."""
    needed = {"script-src", "style-src", "connect-src"}
    directives = [directive.split() for directive in policy.split(";") if directive.strip()]
    for name, *sources in directives:
        is_needed = name.lower() in needed and "'self'" not in sources
        others = [source for source in sources if source != "'none'"] if is_needed else sources
        yield " ".join([name, *(["'self'"] if is_needed else []), *others])
        needed.discard(name.lower())
    if any(name.lower() == "default-src" for name, *_ in directives):
        yield from (f"{name} 'self'" for name in sorted(needed))
