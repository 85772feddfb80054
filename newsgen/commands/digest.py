"""The work of `newsgen digest`: a day's best stories as HTML, as text, or as a message that a mail program sends."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default as policy
from email.utils import format_datetime
from typing import Literal
from urllib.parse import urlsplit

from newsgen import times, urls
from newsgen.builder import Options, Progress, Renderer, load
from newsgen.errors import ConfigError, Problem
from newsgen.library import Library
from newsgen.pages import digests

Format = Literal["html", "txt", "eml"]

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*", re.ASCII)


def digest(
    options: Options, when: date | None, format: Format, sender: str = "", progress: Progress | None = None
) -> bytes:
    """The digest of a day, by default the newest. `sender` is the address that a message is from.

    Raises ConfigError if the site has no `base_url`, or nothing was published on that day.
    """
    loaded = load(options, progress)
    if not loaded.config.base:
        hint = 'write the address of the site, as in base_url = "https://example.org/"'
        raise ConfigError(
            Problem(path="site.toml", field="base_url", what="not set, and mail needs whole addresses", hint=hint)
        )
    html, text = digests(loaded.library, _day(loaded.library, when))
    render = Renderer(loaded.theme, loaded.site)
    if format == "html":
        return render(html)
    if format == "txt":
        return render(text)
    headline = html.stories[0].lead.title if html.stories else html.title
    message = EmailMessage(policy=policy)
    host = urlsplit(loaded.config.base).hostname or ""
    sender = sender or f"news@{host}"
    if not _ADDRESS.fullmatch(sender):
        raise ConfigError(f"{sender!r} is not a mail address; write --from me@example.org")
    message["From"] = Address(_one_line(loaded.config.title), *sender.split("@"))
    message["To"] = "undisclosed-recipients:;"
    message["Subject"] = _one_line(headline)
    message["Date"] = format_datetime(html.newest)
    bodies = render(text), render(html)
    # Whoever builds the same digest again sends the same message, and mail programs show it once.
    mark = hashlib.sha256(b"\0".join((sender.encode(), *bodies))).hexdigest()[:16]
    message["Message-ID"] = f"<{html.day}.{mark}@{host}>"
    message["List-Id"] = f"<digest.{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(bodies[0].decode(), cte="quoted-printable")
    message.add_alternative(bodies[1].decode(), subtype="html", cte="quoted-printable")
    message.set_boundary(f"={mark}=")
    return message.as_bytes()


def _day(library: Library, when: date | None) -> str:
    """The key of the day to show. Raises ConfigError if it has no articles."""
    days = sorted(library.index("day"))
    if when is None:
        newest = library.day(library.clock)
        found = [day for day in days if day <= newest] or days
        if not found:
            raise ConfigError("there are no articles")
        return found[-1]
    zone = library.config.zone
    day = urls.day(times.start(when, zone), zone)
    if day not in library.index("day"):
        newest = f"; the newest day is {days[-1]}" if days else ""
        raise ConfigError(f"nothing was published on {day}{newest}")
    return day


def _one_line(words: str) -> str:
    return " ".join(words.split())
