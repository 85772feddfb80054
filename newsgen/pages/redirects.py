"""Redirects of old addresses: who has one, the stub at each, and the lines of `_redirects`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter

import msgspec

from newsgen import times, urls
from newsgen.hosts import Host, effective_lines, is_dynamic
from newsgen.model import About, Article, Member, Story
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import GonePage, Head, Page, RedirectLine, RedirectPage, RedirectsPage

_LINE_EXTRA = 20
"""More characters than a line of `_redirects` has besides its two addresses, with a few escapes."""


class Redirect(msgspec.Struct, array_like=True, frozen=True):
    """An old address and where it leads: another address of the site, the URL of an article without a page here, or "" for
    a page that was removed.

    `stub` is the output file that answers the old address. `file` is the file that names the address, and `field` where
    in it, for messages; `file` is "" if an editor named it nowhere. `published` is the time of the article that the
    redirect is for, if it is for one.
    """

    old: str
    new: str
    stub: str
    file: str = ""
    published: datetime | None = None
    field: str = "aliases"


def single_redirects(cards: Cards, folder_name: str) -> list[Redirect]:
    """The redirects that belong to no article: of site.toml, aliases of pages, topics and providers, platforms, and
    synonyms.
    """
    own = [*_configured(cards), *_aliases(cards, folder_name)]
    return [*own, *_platform_redirects(cards), *_synonym_redirects(cards)]


def _configured(cards: Cards) -> Iterator[Redirect]:
    """The redirects of site.toml."""
    settings = cards.config.redirects
    folders = settings.folders()
    for (written, _), (old, new) in zip(settings.moved.items(), settings.resolved().items(), strict=True):
        if old.removesuffix("*") in folders:
            continue
        yield Redirect(old, new, urls.stub(old), "site.toml", field=f"redirects.moved.{written}")
    for index, written in enumerate(settings.gone):
        old = urls.old(written)[0]
        yield Redirect(old, "", urls.stub(old), "site.toml", field=f"redirects.gone[{index}]")


def moved_with_folder(folders: Mapping[str, str], addresses: Iterable[str]) -> Iterator[Redirect]:
    """The redirects to pages whose folder has moved: from where each page would be in the old folder."""
    for address in addresses:
        for old_folder, folder in folders.items():
            if address.startswith(folder):
                old = old_folder + address.removeprefix(folder)
                yield Redirect(old, address, urls.stub(old), published=times.FIRST)


def stubs(redirects: Iterable[Redirect]) -> dict[str, str]:
    """The new address for the path of each stub."""
    return {redirect.stub: redirect.new for redirect in redirects}


def stub_pages(cards: Cards, stubs: dict[str, str]) -> list[Page]:
    """The stub at each path."""
    return [RedirectPage(path=path, target=new) if new else _gone(cards, path) for path, new in stubs.items()]


def _gone(cards: Cards, path: str) -> GonePage:
    title = cards.gettext("This page was removed")
    head = Head(title=title, description="", address=urls.address(path), noindex=True)
    return GonePage(path=path, head=head)


def may_have_line(cards: Cards, redirect: Redirect) -> bool:
    """Whether a redirect may have a line in `_redirects`: hosts read few lines, so where there are stubs, the addresses of
    members have none.
    """
    return bool(redirect.file) or redirect.published is None or not cards.config.redirects.pages


def redirect_lines(cards: Cards, redirects: Iterable[Redirect], own: str) -> list[Redirect]:
    """The redirects for `_redirects`: as many as the host reads besides the `own` lines of the site, newest first."""
    if not has_redirects_file(cards):
        return []
    host = cards.config.limits
    has_lines = (r for r in redirects if may_have_line(cards, r) and (r.new or (host and host.answers_gone)))
    lines = sorted(has_lines, key=attrgetter("old"))
    # Addresses of pages without a time come first, then aliases of articles, then the addresses of members.
    lines.sort(key=lambda r: (r.published is None, bool(r.file), r.published or times.FIRST), reverse=True)
    return list(_within(host, lines, own, cards.config.root)) if host else lines


def _within(host: Host, lines: Iterable[Redirect], own: str, root: str) -> Iterator[Redirect]:
    """The first lines, as many as a host reads besides the site's own, without those that are too long for it."""
    rules = effective_lines(own)
    room, space = host.redirect_lines - len(rules), host.redirect_bytes - len(own.encode()) - 1
    dynamic = next((len(rules) - at for at, rule in enumerate(rules) if is_dynamic(rule)), 0)
    if dynamic and host.dynamic_redirects:  # all that follow count as dynamic too
        room = host.dynamic_redirects - dynamic
    for line in lines:
        length = len(urls.href(line.old, root)) + len(urls.href(line.new, root)) + _LINE_EXTRA
        if host.redirect_line_length and length > host.redirect_line_length:
            continue
        room, space = room - 1, space - length
        if room < 0 or (host.redirect_bytes and space < 0):
            return
        yield line


def has_redirects_file(cards: Cards) -> bool:
    """Whether the site has a `_redirects`."""
    host = cards.config.limits
    return cards.has("redirects") and cards.config.redirects.file and (host is None or host.reads_redirects)


def redirects_file(cards: Cards, redirects: Iterable[Redirect], own: str) -> RedirectsPage:
    """`_redirects`. `own` is the text of the site's own."""
    lines = (_line(redirect, cards) for redirect in redirect_lines(cards, redirects, own))
    return RedirectsPage(path="_redirects", own=own, redirects=tuple(lines))


def _line(redirect: Redirect, cards: Cards) -> RedirectLine:
    if not redirect.new:
        # The mark makes the host answer so although there is a file at the address, and show that file.
        shown = redirect.old if cards.config.redirects.pages else "/404.html"
        return RedirectLine(old=redirect.old, new=shown, status="410!")
    is_permanent = redirect.new.startswith("/") or redirect.field != "aliases"
    return RedirectLine(old=redirect.old, new=redirect.new, status="301" if is_permanent else "302")


def story_redirects(cards: Cards, story: Story) -> Iterator[Redirect]:
    """Redirects from the addresses of articles that have no page to themselves to their places in their story."""
    for article in story.files:
        row = cards.library.row(article.id)
        if row and row.item == story.id and article.id != story.id and not cards.has_page(row):
            old = cards.library.address[article.id]
            yield Redirect(old, row.page, urls.path(old), published=article.published)


def article_redirects(cards: Cards, article: Article, folder_name: str) -> Iterator[Redirect]:
    """The redirects from the aliases of an article, and, if it has expired, from its address to its story, or to what is
    left of it."""
    is_expired = article.id in cards.library.facts.expired
    old, new = cards.library.address[article.id], _successor(cards, article) if is_expired else _place(cards, article)
    if new:
        yield from _of_aliases(article, new, folder_name)
    if is_expired and new not in ("", old):
        yield Redirect(old, new, urls.path(old), published=article.published)


def _successor(cards: Cards, article: Article) -> str:
    """Where the address of an expired article leads; "" if nothing is left of its story."""
    library, id = cards.library, cards.library.successors.get(article.id, "")
    return _place(cards, library.by_id[id]) if library.origins.get(id) else library.address.get(id, "")


def _place(cards: Cards, member: Member) -> str:
    """Where an address of a member leads: to what the site has about it, or else to its source."""
    return cards.library.page(member) or member.url


def _aliases(cards: Cards, folder_name: str) -> list[Redirect]:
    """Redirects from the aliases of pages, topics and providers."""
    library = cards.library
    owners: list[tuple[str, About]] = []
    if cards.has("page"):
        owners += [(urls.page(p.key), p) for p in library.about["page"].values()]
    for axis in ("topic", "provider"):
        for about in library.about[axis].values():
            if cards.has(axis) and about.key in library.index(axis):
                owners.append((cards.places.section(axis, about.key), about))
    return [redirect for new, about in owners for redirect in _of_aliases(about, new, folder_name)]


def _of_aliases(owner: About | Article, new: str, folder_name: str) -> Iterator[Redirect]:
    """The redirects from the aliases of a content file to a new address."""
    for alias in owner.aliases:
        yield Redirect(alias, new, urls.stub(alias), f"{folder_name}/{owner.id}", getattr(owner, "published", None))


def _synonym_redirects(cards: Cards) -> list[Redirect]:
    """From the page that a topic would have under a synonym to the page it has."""
    library = cards.library
    if not cards.has("topic"):
        return []
    return [
        Redirect(old, cards.places.section("topic", key), urls.path(old))
        for synonym, key in sorted(library.topics.synonyms.items())
        if key in library.index("topic")
        for old in [cards.places.section("topic", synonym)]
    ]


def _platform_redirects(cards: Cards) -> list[Redirect]:
    """Redirects from the pages that platforms would have as providers to their only author here, or to all sources."""
    if not cards.has("provider"):
        return []
    authors: dict[str, list[str]] = {}
    platforms, sections = cards.config.platforms, cards.library.index("provider")
    for key in sorted(sections):
        platform = platforms.platform(key)
        if platform and platform not in sections and platforms.has_paths(platform):
            authors.setdefault(platform, []).append(key)
    everyone = cards.places.sources if cards.has("sources") else ""
    targets = {
        p: cards.places.section("provider", keys[0]) if len(keys) == 1 else everyone for p, keys in authors.items()
    }
    olds = {platform: cards.places.section("provider", platform) for platform in targets}
    return [Redirect(olds[p], target, urls.path(olds[p])) for p, target in targets.items() if target]
