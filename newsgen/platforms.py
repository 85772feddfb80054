"""Platforms: hosts where many authors publish, each of them a provider of its own.

An author's provider key is `name.host`, whatever form the platform's addresses have: `https://medium.com/@ann/x` and
`https://ann.medium.com/x` both belong to `ann.medium.com`. Blocking the host therefore blocks all its authors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from newsgen import canonical

TABLE: tuple[tuple[str, str, str], ...] = (
    (
        "https://github.com/sherlock-project/sherlock (resources/data.json)",
        "2026-11-28",
        """
        jimdosite.com           livejournal.com         medium.com              medium.com/@:name       substack.com
        tistory.com             tumblr.com              weebly.com              wix.com                 wordpress.com
        blog.naver.com/:name    bsky.app/profile/:name  dev.to/:name            hackmd.io/@:name
        hashnode.com/@:name hive.blog/@:name        hubpages.com/@:name     listed.to/@:name
        mastodon.social/@:name  note.com/:name odysee.com/@:name       rumble.com/user/:name   soundcloud.com/:name
        t.me/:name              tiktok.com/@:name velog.io/@:name         write.as/:name          x.com/:name
        youtube.com/@:name threads.net/@:name>threads.com
        """,
    ),
    (
        "https://github.com/WebBreacher/WhatsMyName (wmn-data.json)",
        "2026-11-28",
        """
        ameblo.jp/:name         insanejournal.com       paragraph.com/@:name    rumble.com/c/:name
        steemit.com/@:name substack.com/@:name     teletype.in/@:name      threads.com/@:name      tumblr.com/:name
        weibo.com/:name youtube.com/c/:name     youtube.com/user/:name  zenn.dev/:name
        dailymotion.com/user/:name bitchute.com/channel/:name
        """,
    ),
    (
        "https://github.com/DIYgod/RSSHub (lib/routes/csdn/blog.ts)",
        "2026-11-28",
        "blog.csdn.net/:name",
    ),
    ("https://www.beehiiv.com/support/article/12999491162391", "2026-11-28", "beehiiv.com"),
    ("https://ghost.org/help/run-ghost-from-a-subdirectory/", "2026-11-28", "ghost.io"),
    ("https://hashnode.com/forums/thread/how-does-hashnode-achieve-the-subdomain-system", "2026-11-28", "hashnode.dev"),
    ("https://curtclifton.net/integrating-micro-blog", "2026-11-28", "micro.blog"),
    (
        "the addresses that these platforms give their authors; no document of theirs was read",
        "2026-11-28",
        """
        buttondown.com  buttondown.com/:name  buttondown.email>buttondown.com  buttondown.email/:name>buttondown.com
        cnblogs.com/:name  lofter.com  mirror.xyz  qiita.com/:name  youtube.com/channel/:name
        blog.livedoor.jp/:name  blog.naver.com?blogId=:name  brunch.co.kr/@:name  canalblog.com  dreamwidth.org
        eklablog.com  exblog.jp  hatenablog.com  hatenadiary.org  jugem.jp  livedoor.blog  mataroa.blog  over-blog.com
        medium.com/:name  open.substack.com/pub/:name>substack.com  overblog.com  pika.page  pixnet.net  posthaven.com
        seesaa.net  squarespace.com  svbtle.com  t.me/s/:name  twitter.com/:name>x.com  typepad.com  wixsite.com
        write.as  writeas.com>write.as  zhuanlan.zhihu.com/:name
        """,
    ),
)
"""The platforms that the public suffix list (https://publicsuffix.org/list/) lacks: where the form of their addresses
is documented or listed, the date it was read, and their patterns.

A pattern is a host with an author in each sub-domain (`host`), or in its addresses (`host/prefix:name`,
`host?parameter=:name`). With `>other`, the authors are those of another host.
"""

_PATTERN = re.compile(r"([^/?:>\s]+)(?:(/[^:?#>\s]*|\?[\w-]+=):name)?(?:>([^/?:>\s]+))?")
_ADDRESS = re.compile(r"(?:https?://)?([^/?#]*)([^#]*)", re.IGNORECASE)
_MOBILE = ("", "m.", "mobile.", "amp.", "wap.")

# First segments of a path that lead to a platform's own pages. Those of one letter do too.
_PAGES = """
    about account api app apps archive archives articles assets author authors blog blogs business category channel
    collection collections company contact discover docs embed events explore faq feed feeds hashtag hashtags help home
    images info intent jobs legal live login media membership news page pages people plans policy post posts press
    pricing privacy profile public publications questions rss search settings share shop shorts signin signup static
    stories story support tag tagged tags terms topic topics trending user users video videos watch
"""
_RESERVED = frozenset(_PAGES.split())


class _Rule(NamedTuple):
    """How the addresses of a host name their author: the name is group 1 of `pattern`, the author is one of `target`."""

    pattern: re.Pattern[str]
    prefix: str
    host: str
    target: str


class Platforms:
    """A set of platforms. `owners` caches `owner`; builds save it, because reading the suffix list takes long."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.owners: dict[str, str] = {"": ""}
        self._hosts: dict[str, str] = {}  # the prefix of their authors' addresses; "" for sub-domains
        self._rules: dict[str, list[_Rule]] = {}
        for pattern in patterns:
            host, prefix, target = _parts(pattern)
            if prefix:
                rule = _Rule(_expression(prefix), prefix, host, target)
                for mobile in _MOBILE:
                    self._rules.setdefault(mobile + host, []).append(rule)
            if target == host and not (prefix and host in self._hosts) and not prefix.startswith("?"):
                self._hosts[host] = prefix
            else:
                self._hosts.setdefault(target, "")

    def __contains__(self, domain: str) -> bool:
        return domain in self._hosts

    def provider(self, address: str) -> str:
        """The provider key that a normalised URL, a canonical key or a domain belongs to; "" if it is invalid."""
        host, rest = _split(address)
        rules = self._rules.get(host)
        if rules is None:
            return host
        for rule in rules:
            if author := _author(rule, rest):
                return author[0]
        return rules[0].host

    def key(self, text: str) -> str:
        """The provider key of a domain, or of an author's address such as `medium.com/@ann`; "" if it is invalid."""
        text = text.strip()
        if "//" in text or "\\" in text:
            text = canonical.web_address(text)
        # Two segments, because the first alone may be a page of the platform.
        return self.provider(text if "?" in text else text.rstrip("/") + "/-") if text else ""

    def owner(self, domain: str) -> str:
        """The registrable domain of a domain, or the domain itself if it has none; on a platform, the author's key."""
        owner = self.owners.get(domain)
        if owner is None:
            owner = self._author(domain) or _suffixes().privatesuffix(domain) or domain
            self.owners[domain] = owner
        return owner

    def platform(self, domain: str) -> str:
        """The platform that an author's key belongs to; "" if it is no author's."""
        owner = self._author(domain)
        return owner.partition(".")[2] if owner not in self._hosts else ""

    def has_paths(self, platform: str) -> bool:
        """Whether a platform's addresses may name their author in the path, so that their host does not."""
        return platform in self._rules

    def author_page(self, url: str) -> str:
        """The author's own page on a platform, if the URL's path names the author, else ""."""
        host, rest = _split(url)
        for rule in self._rules.get(host, ()):
            if author := _author(rule, rest):
                return f"https://{rule.host}{rest[: author[1]]}" if rule.host == rule.target and author[1] else ""
        return ""

    def home(self, domain: str) -> str:
        """The address of a provider's front page, as far as its key tells."""
        platform = self.platform(domain)
        prefix, name = self._hosts.get(platform, ""), domain.partition(".")[0]
        if not prefix:
            return f"https://{domain}/"
        # Any other name may have been spelt differently.
        return f"https://{platform}{prefix}{name}" if re.fullmatch(r"[a-z0-9_]+", name) else f"https://{platform}/"

    def _author(self, domain: str) -> str:
        """The key of the author that a domain below a platform belongs to; the domain itself if it is a platform."""
        if domain in self._hosts:
            return domain
        labels = domain.split(".")
        for at in range(1, len(labels) - 1):
            if ".".join(labels[at:]) in self._hosts:
                return ".".join(labels[at - 1 :])
        return ""


@lru_cache(maxsize=64)
def of(more: tuple[str, ...] = ()) -> Platforms:
    """The platforms of the table and those in `more`. The same for the same patterns."""
    return Platforms([*(pattern for _, _, patterns in TABLE for pattern in patterns.split()), *more])


def is_pattern(text: str) -> bool:
    """Whether a text is the pattern of a platform, as `site.toml` may add it: `host` or `host/prefix:name`."""
    return ">" not in text and all(_parts(text)[::2])


def _parts(pattern: str) -> tuple[str, str, str]:
    """The host of a pattern, its prefix, and the host whose authors it names; all are "" if it is invalid."""
    match = _PATTERN.fullmatch(pattern)
    host = canonical.host(match[1]) if match else ""
    return (host, match[2] or "", match[3] or host) if match and "." in host else ("", "", "")


def _expression(prefix: str) -> re.Pattern[str]:
    if prefix.startswith("?"):
        return re.compile(rf"[^?]*\?(?:[^&]*&)*{re.escape(prefix[1:])}([^&]+)")
    # Without anything before the name, the address of a post has a second segment.
    return re.compile(re.escape(prefix) + r"([^/?]+)" + (r"(?=/[^/?])" if prefix == "/" else ""))


def _split(address: str) -> tuple[str, str]:
    """The normalised host of an address, and its path and query."""
    match = _ADDRESS.match(address)
    return (canonical.host(match[1]), match[2]) if match else ("", "")


def _author(rule: _Rule, rest: str) -> tuple[str, int] | None:
    """The key of the author that a path and query name, and where the author's part of the path ends (0: nowhere)."""
    match = rule.pattern.match(rest)
    if match is None:
        return None
    name = unquote(match[1]).lower().removeprefix("@")
    if rule.prefix == "/" and (name in _RESERVED or len(name) == 1):
        return None
    key = canonical.host(f"{name.replace('.', '-').strip('-')}.{rule.target}")
    # The name "www" would disappear in its key.
    return (key, 0 if rule.prefix.startswith("?") else match.end(1)) if key.endswith("." + rule.target) else None


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
