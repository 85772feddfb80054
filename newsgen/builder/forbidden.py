"""Warns of what a site's own templates, style sheets and head file need and its content security policy forbids.

Browsers say nothing to readers when a policy blocks something. What scripts load themselves is not known here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from newsgen.builder.cache import Cache
from newsgen.builder.theme import Theme
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.policies import Policy
from newsgen.text import digest_bytes

if TYPE_CHECKING:
    from newsgen.needs import Forbidden

HEADERS = "feeds/_headers.txt"
MOST = 20
"""Maximum number of warnings."""

_Find = Callable[[str, Policy, str], Iterable["Forbidden"]]

_decoder = msgspec.msgpack.Decoder(tuple[bytes, tuple[Problem, ...]])


def warnings(theme: Theme, config: Config, cache: Cache) -> tuple[Problem, ...]:
    """One warning for each thing that is forbidden; none if the site has no policy or one that newsgen did not make."""
    host = config.limits
    if not config.has("headers") or (host and not host.reads_headers):
        return ()
    templates = theme.own_templates()
    if "page.policy" not in templates.get(HEADERS, "page.policy"):
        return ()
    policy = msgspec.structs.replace(config.policy, frame=(*config.policy.frame, *config.players))
    styles, head = theme.own_files(".css"), theme.head()
    pages = [name for name in templates if name.endswith(".html") and not name.startswith("digest/")]
    if not (pages or styles or head):
        return ()
    from newsgen import needs  # imported late: most sites have nothing of their own

    parts = urlsplit(config.base)
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    in_template = partial(needs.in_template, head=head)
    looks: list[tuple[str, str, _Find]] = [(f"templates/{name}", templates[name], in_template) for name in pages]
    looks += [(f"static/{name}", _text(theme.static[name]), needs.in_css) for name in styles]
    if head:
        looks.append((f"templates/{config.brand.head}", head, needs.in_head))
    key = digest_bytes(msgspec.msgpack.encode((policy, origin, [each[:2] for each in looks])))
    with contextlib.suppress(msgspec.DecodeError):
        known, found = _decoder.decode(cache.get("forbidden") or b"")
        if known == key:
            return found
    everything = sorted({each.problem(path) for path, text, find in looks for each in find(text, policy, origin)})
    found = tuple(everything[:MOST])
    if rest := len(everything) - len(found):
        what, hint = f"the policy forbids {rest:,} more things that these files need", "see to the others first"
        found += (Problem(path="templates", what=what, hint=hint, scope="value"),)
    cache.put("forbidden", msgspec.msgpack.encode((key, found)))
    return found


def _text(file: Path) -> str:
    """The text of a style sheet, which may have any encoding."""
    try:
        return file.read_bytes().decode("utf-8", "replace")
    except OSError:  # copying it reports the error
        return ""
