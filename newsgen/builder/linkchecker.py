"""Finds links and pictures of content files and of the navigation that lead nowhere on the site.

It knows what is planned and renders no page, so every build can afford it. `newsgen check` also checks the links on
rendered pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from newsgen import links, urls
from newsgen.content import file_id
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import About, Article
from newsgen.pages import Page, Plan

MAX_WARNINGS = 10
"""The broken links that a build lists."""

LINK_HINT = "correct the link, or add what is missing"
"""What to do about a broken link."""

_MAIL = re.compile(r"[^\s@/?#]+@[^\s@/?#]+\.[a-z]+", re.IGNORECASE)
# A file's name may look like a host's, such as notes.md.
_HOST = re.compile(r"www\.[^\s/]+(?:/|$)|(?:[a-z0-9-]+\.)+(?:[a-z]{2,}/|(?:com|net|org)$)", re.IGNORECASE)


class BrokenLink(NamedTuple):
    """A link to an output file that is not planned; `path` is "" if it leads out of the site.

    `file` is the id of the content file that has it, "" for site.toml.
    """

    file: str
    field: str
    link: str
    path: str


class LinkChecker:
    """Checks the links of one site. `broken` are the broken links of content files and of the navigation.

    `render` renders a page; `site` and `content` are the folders. `hint` says what to do about a link in a content file
    that may have been meant for a file beside it.
    """

    def __init__(
        self,
        library: Library,
        plan: Plan,
        render: Callable[[Page], bytes],
        site: Path,
        content: Path,
        hint: Callable[[str, str], str],
    ) -> None:
        self._library, self._paths, self._page, self._render = library, plan, plan.page, render
        self._site, self._content, self._hint = site, content, hint
        self._root = library.config.root
        self._redirects: list[re.Pattern[str]] | None = None
        self._target = lru_cache(maxsize=1 << 16)(self._find_target)
        self.broken = list(self._find())

    def target(self, link: str, address: str) -> links.Target | None:
        """Where a link on the page at this address leads. None if it leads to another site."""
        return self._target(link, "/") if link.startswith("/") else self._find_target(link, address)

    def _find_target(self, link: str, address: str) -> links.Target | None:
        target = links.resolve(link, address, self._root)
        if target and target.path not in self._paths:
            page = f"{target.path}/index.html"  # hosts add a missing slash
            return target._replace(path=page) if page in self._paths else target
        return target

    def is_broken(self, target: links.Target) -> bool:
        """Whether a link with this target leads nowhere."""
        return target.path not in self._paths and not self._is_redirected(target.path)

    def _is_redirected(self, path: str) -> bool:
        """Whether a line in `_redirects` leads on from an address that has no stub."""
        if self._redirects is None:
            has_file = "_redirects" in self._paths
            text = self._render(self._page("_redirects")).decode("utf-8", "replace") if has_file else ""
            rows = (line.split() for line in text.splitlines())
            self._redirects = [_rule(row[0]) for row in rows if len(row) > 1 and row[0].startswith("/")]
        address = urls.href(urls.address(path), self._root)
        return any(rule.fullmatch(address) for rule in self._redirects)

    def _find(self) -> Iterator[BrokenLink]:
        library = self._library
        for item in library.config.navigation or ():
            if links.is_own(item.url):
                yield from self._broken("", "/", None, (item.url,))
        for old, new in library.config.redirects.moved.items():
            for broken in self._broken("", "/", None, (new,)) if links.is_own(new) else ():
                yield broken._replace(field=f"redirects.moved.{old}")
        # The newest come first.
        rows = sorted(filter(None, map(library.row, library.facts.links)), key=attrgetter("key"), reverse=True)
        for article in (library.article(row.id) for row in rows):
            yield from self._broken(article.id, library.address[article.id], article, article.links)
        for address, about in self._abouts():
            if about.links:
                yield from self._broken(about.id, address, about, about.links)

    def _abouts(self) -> Iterator[tuple[str, About]]:
        """The files about topics, providers, stories and pages, each with the address that shows it, or ""."""
        library = self._library
        for kind, abouts in library.about.items():
            for about in abouts.values():
                if kind == "story":
                    named = (library.story_of.get(id) for id in library.facts.named.get(about.key, ()))
                    story = next((story for story in named if story and story.name == about.key), None)
                    yield library.address[story.id] if story else "", about
                else:
                    yield urls.page(about.key) if kind == "page" else library.places.section(kind, about.key), about

    def _broken(
        self, file: str, address: str, member: Article | About | None, own: tuple[str, ...]
    ) -> Iterator[BrokenLink]:
        has_page = bool(address) and urls.path(address) in self._paths
        for link in dict.fromkeys(own):
            if not link.startswith("/"):
                target = self.target(link, address) if has_page else None  # without a page, it is shown nowhere
            else:
                target = self.target(self._root + link[1:], "/")
            if target and self.is_broken(target):
                yield BrokenLink(file, _field(member, link), link, target.path)

    def file(self, address: str) -> str:
        """The id of the content file whose body the page at this address shows, or ""."""
        by_address = {address: about.id for address, about in self._abouts()}
        return by_address.get(address) or self._library.file_at(address)

    def what(self, path: str, link: str) -> str:
        """What is wrong with a link that leads to this path."""
        hidden = self._library.file_at(urls.address(path)) if path else ""
        reason = "has no page here" if self._library.by_id.get(hidden) else "is not published"
        because = f": {self._content.name}/{hidden} {reason}" if hidden else ""
        return f"there is no page or file {link!r}{because}"

    def problem(self, file: str, field: str, link: str, what: str) -> Problem:
        """The problem of a link in a content file, or in site.toml if `file` is "", with its line."""
        place, path = (
            (self._content / file, f"{self._content.name}/{file}") if file else (self._site / "site.toml", "site.toml")
        )
        try:
            line = links.line(place.read_text(encoding="utf-8", errors="replace"), link)
        except OSError:
            line = 0
        hint = (self._hint(file, link) or self._page_of_file(file, link) if file else "") or _meant(link)
        return Problem(path=path, line=line, field=field, what=what, hint=hint or LINK_HINT)

    def _page_of_file(self, file: str, link: str) -> str:
        """What to do about a link to another content file, as other generators have them; "" if it is none."""
        path = re.split(r"[?#]", link, maxsplit=1)[0]
        if not path:
            return ""
        name = file_id(path.removeprefix("@").lstrip("/"), "" if path[0] in "@/" else file)
        for id in (name, f"{name}.md", f"{name}/index.md"):
            if address := self._library.address[id] if self._library.row(id) else self._addresses_of_abouts.get(id):
                return f"{self._content.name}/{id} is a content file: link to its page, {address}"
        return ""

    @cached_property
    def _addresses_of_abouts(self) -> dict[str, str]:
        return {about.id: address for address, about in self._abouts() if address}

    def problems(self, limit: int | None = None) -> list[Problem]:
        """The problems of `broken` links, at most `limit` of them and then the number of the others."""
        out = [self.problem(b.file, b.field, b.link, self.what(b.path, b.link)) for b in self.broken[:limit]]
        if rest := len(self.broken) - len(out):
            what = f"{rest:,} more {'link leads' if rest == 1 else 'links lead'} nowhere"
            out.append(Problem(path=self._content.name, what=what, hint="`newsgen check` lists all"))
        return out


def _meant(link: str) -> str:
    """What to do about a link that is no path at all; "" if it may be one."""
    if "{{" in link or "{%" in link:
        return "write the address of the page: newsgen runs no tags"
    for form, scheme in ((_MAIL, "mailto:"), (_HOST, "https://")):
        if form.match(link):
            return f"did you mean {scheme + link!r}?"
    return ""


def _rule(pattern: str) -> re.Pattern[str]:
    """Matches the addresses of a line of `_redirects` (https://docs.netlify.com/routing/redirects/redirect-options/)."""
    parts = re.split(r"(\*$|:\w+)", pattern.rstrip("/"))
    return re.compile("".join(".*" if p == "*" else "[^/]+" if p[:1] == ":" else re.escape(p) for p in parts) + "/?")


def _field(member: Article | About | None, link: str) -> str:
    """The field of a file that has a link; "link" for its body."""
    if member is None:
        return "navigation"
    pictures = member.images if isinstance(member, Article) else (member.image,)
    if any(picture and picture.url == link for picture in pictures):
        return "images"
    if isinstance(member, Article) and any(author.url == link for author in member.authors):
        return "author"
    is_related = isinstance(member, Article) and any(r.image and r.image.url == link for r in member.related)
    return "related" if is_related else "link"
