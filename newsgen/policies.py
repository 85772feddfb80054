"""The content security policy of a site (https://www.w3.org/TR/CSP3/). `needs` finds what it forbids."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable

import msgspec

HOST = re.compile(r"(?:https://)?((?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)+[a-z0-9-]+(?::\d{1,5})?)/?", re.I)
"""A host in `[policy]`; group 1 is what stands in the policy, after https://."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hosts that the policy allows beside the site itself, by what is loaded from them or sent to them."""

    script: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    font: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()

    def hosts(self, kind: str) -> tuple[str, ...]:
        """The hosts of a kind, as the policy writes them after https://."""
        found = (HOST.fullmatch(host) for host in getattr(self, kind))
        return tuple(match[1].lower() for match in found if match)


def header(policy: Policy, players: Iterable[str] = (), scripts: Iterable[str] = (), styles: Iterable[str] = ()) -> str:
    """The value of the header Content-Security-Policy.

    `players` are the hosts of the video players that may be embedded. `scripts` and `styles` are the texts of inline ones,
    which their hashes allow.
    """
    frames = [f"https://{host}" for host in players]

    def sources(directive: str, kind: str, *more: str) -> str:
        return " ".join((directive, *more, *(f"https://{host}" for host in policy.hosts(kind))))

    return "; ".join(
        (
            "default-src 'none'",
            sources("img-src", "image", "'self'", "https:", "http:", "data:"),
            sources("style-src", "style", "'self'", *map(_hash, styles)),
            sources("script-src", "script", "'self'", *map(_hash, scripts)),
            sources("font-src", "font", "'self'"),
            sources("connect-src", "connect", "'self'"),
            "manifest-src 'self'",
            *([sources("media-src", "media", "'self'")] if policy.media else ()),
            *([sources("frame-src", "frame", *frames)] if policy.frame or frames else ()),
            sources("form-action", "form", "'self'"),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
