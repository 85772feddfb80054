"""Warns of what a site's own templates, style sheets and head file need and its content security policy forbids.

Browsers say nothing to readers when a policy blocks something. What scripts load themselves is not known here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

import msgspec

from newsgen import policies
from newsgen.builder.cache import Cache
from newsgen.builder.theme import Theme
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.text import digest_bytes

HEADERS = "feeds/_headers.txt"

_decoder = msgspec.msgpack.Decoder(tuple[bytes, tuple[Problem, ...]])


def warnings(theme: Theme, config: Config, cache: Cache) -> tuple[Problem, ...]:
    """One warning for each thing that is forbidden; none if the site has no policy, or one that newsgen does not make."""
    host = config.limits
    if not config.has("headers") or (host and not host.reads_headers):
        return ()
    templates = theme.own_templates()
    if "page.policy" not in templates.get(HEADERS, "page.policy"):
        return ()
    policy = msgspec.structs.replace(config.policy, frame=(*config.policy.frame, *config.players))
    head = theme.head()
    pages = {n: t for n, t in templates.items() if n.endswith(".html") and not n.startswith("digest/")}
    styles = {name: theme.text(name) for name in theme.own_files(".css")}
    if not (head or pages or styles):
        return ()
    parts = urlsplit(config.base)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    key = digest_bytes(msgspec.msgpack.encode((policy, origin, config.brand.head, head, pages, styles)))
    with contextlib.suppress(msgspec.DecodeError):
        known, found = _decoder.decode(cache.get("forbidden") or b"")
        if known == key:
            return found
    in_template = partial(policies.in_template, head=head)
    found = tuple(
        sorted(
            {
                *_in(f"templates/{config.brand.head}", head, policies.in_head, policy, origin),
                *(
                    p
                    for name, text in pages.items()
                    for p in _in(f"templates/{name}", text, in_template, policy, origin)
                ),
                *(
                    p
                    for name, text in styles.items()
                    for p in _in(f"static/{name}", text, policies.in_css, policy, origin)
                ),
            }
        )
    )
    cache.put("forbidden", msgspec.msgpack.encode((key, found)))
    return found


def _in(
    path: str,
    text: str,
    find: Callable[..., Iterator[policies.Forbidden]],
    policy: policies.Policy,
    origin: str,
) -> Iterator[Problem]:
    for each in find(text, policy, origin):
        yield each.problem(path)
