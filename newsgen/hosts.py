"""Hosts: services that serve a folder of files, and the limits that they document.

A host cuts off in silence what exceeds some of its limits, so a build compares the site with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec

HostName = Literal[
    "cloudflare-pages", "cloudflare-pages-paid", "cloudflare-workers", "cloudflare-workers-paid", "netlify",
    "github-pages", "gitlab-pages", "azure-static-web-apps", "azure-static-web-apps-standard", "firebase-hosting",
    "bucket", "web-server",
]  # fmt: skip
HOST_NAMES: tuple[HostName, ...] = get_args(HostName)
"""The names that `host` accepts."""

TargetKind = Literal["dir", "git", "ssh", "s3", "az"]
"""The kinds of publish targets, by the scheme of their address."""

MIB = 1024**2
GB = 10**9


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """A host and its limits. Sizes are in bytes; 0 means that there is no limit, or that none is documented.

    `sources` are the pages that document the limits, and `read` is the day they were read. `folder_files` limits the
    files directly in one folder. With `counts_folders`, a folder counts as a file. `redirect_lines` are the rules that
    the host takes from `_redirects`; 0 means that it does not read that file. With `answers_gone`, a line there may set
    the status 410, even where there is a file. If `dynamic_redirects` is set, rules from
    the first one with a `*` or placeholder on have this limit instead. Line lengths are in characters. `advised` are
    the limits that the host only advises. `targets` are the kinds of publish targets that can lead to the host, and
    `domains` are its own, below which it serves sites.
    """

    title: str
    sources: tuple[str, ...]
    read: str
    files: int = 0
    counts_folders: bool = False
    folder_files: int = 0
    file_size: int = 0
    site_size: int = 0
    redirect_lines: int = 0
    dynamic_redirects: int = 0
    redirect_bytes: int = 0
    redirect_line_length: int = 0
    answers_gone: bool = False
    reads_headers: bool = False
    header_rules: int = 0
    header_line_length: int = 0
    advised: frozenset[str] = frozenset()
    targets: frozenset[TargetKind]
    domains: tuple[str, ...] = ()

    @property
    def reads_redirects(self) -> bool:
        """Whether the host reads `_redirects`."""
        return self.redirect_lines > 0


_READ = "2026-11-28"

# A host with its own tool takes any folder. It also takes a branch, if it is connected to the repository.
_FOLDER_OR_BRANCH: frozenset[TargetKind] = frozenset({"dir", "git"})
_FOLDER: frozenset[TargetKind] = frozenset({"dir"})

_CLOUDFLARE_PAGES = Host(
    title="Cloudflare Pages",
    sources=(
        "https://developers.cloudflare.com/pages/platform/limits/",
        "https://developers.cloudflare.com/pages/configuration/redirects/",
        "https://developers.cloudflare.com/pages/configuration/headers/",
    ),
    read=_READ,
    files=20_000,
    file_size=25 * MIB,
    redirect_lines=2_000,
    dynamic_redirects=100,
    redirect_line_length=1_000,
    reads_headers=True,
    header_rules=100,
    header_line_length=2_000,
    targets=_FOLDER_OR_BRANCH,
    domains=("pages.dev",),
)
_CLOUDFLARE_WORKERS = msgspec.structs.replace(
    _CLOUDFLARE_PAGES,
    title="Cloudflare Workers",
    sources=(
        "https://developers.cloudflare.com/workers/platform/limits/#static-assets",
        "https://developers.cloudflare.com/workers/static-assets/redirects/",
        "https://developers.cloudflare.com/workers/static-assets/headers/",
    ),
    domains=("workers.dev",),
)
_AZURE = Host(
    title="Azure Static Web Apps",
    sources=(
        "https://learn.microsoft.com/azure/static-web-apps/quotas",
        "https://github.com/Azure/static-web-apps/issues/520",
    ),
    read=_READ,
    files=15_000,
    site_size=250 * MIB,
    targets=_FOLDER_OR_BRANCH,
    domains=("azurestaticapps.net",),
)

HOSTS: Mapping[HostName, Host] = MappingProxyType(
    {
        "cloudflare-pages": _CLOUDFLARE_PAGES,
        "cloudflare-pages-paid": msgspec.structs.replace(
            _CLOUDFLARE_PAGES, title="Cloudflare Pages (paid)", files=100_000
        ),
        "cloudflare-workers": _CLOUDFLARE_WORKERS,
        "cloudflare-workers-paid": msgspec.structs.replace(
            _CLOUDFLARE_WORKERS, title="Cloudflare Workers (paid)", files=100_000
        ),
        "netlify": Host(
            title="Netlify",
            sources=(
                "https://docs.netlify.com/site-deploys/overview/",
                "https://docs.netlify.com/manage/routing/redirects/overview/",
            ),
            read=_READ,
            folder_files=54_000,
            redirect_lines=10_000,
            answers_gone=True,
            reads_headers=True,
            advised=frozenset({"redirect_lines"}),
            targets=_FOLDER_OR_BRANCH,
            domains=("netlify.app",),
        ),
        "github-pages": Host(
            title="GitHub Pages",
            sources=(
                "https://docs.github.com/pages/getting-started-with-github-pages/github-pages-limits",
                "https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github",
            ),
            read=_READ,
            file_size=100 * MIB,
            site_size=GB,
            targets=_FOLDER_OR_BRANCH,
            domains=("github.io",),
        ),
        "gitlab-pages": Host(
            title="GitLab Pages",
            sources=(
                "https://docs.gitlab.com/user/gitlab_com/#gitlab-pages",
                "https://docs.gitlab.com/administration/instance_limits/#number-of-files-per-gitlab-pages-website",
                "https://docs.gitlab.com/user/project/pages/redirects/",
            ),
            read=_READ,
            files=200_000,
            counts_folders=True,
            site_size=GB,
            redirect_lines=1_000,
            redirect_bytes=64 * 1024,
            targets=_FOLDER_OR_BRANCH,
            domains=("gitlab.io",),
        ),
        "azure-static-web-apps": _AZURE,
        "azure-static-web-apps-standard": msgspec.structs.replace(
            _AZURE, title="Azure Static Web Apps (Standard)", site_size=500 * MIB
        ),
        "firebase-hosting": Host(
            title="Firebase Hosting",
            sources=("https://firebase.google.com/docs/hosting/reference/rest/v1beta1/sites.versions/populateFiles",),
            read=_READ,
            file_size=2 * GB,
            targets=_FOLDER,
            domains=("web.app", "firebaseapp.com"),
        ),
        "bucket": Host(title="a bucket", sources=(), read=_READ, targets=frozenset({"dir", "s3", "az"})),
        "web-server": Host(title="a web server", sources=(), read=_READ, targets=frozenset({"dir", "git", "ssh"})),
    }
)
"""The hosts by name. `bucket` and `web-server` have no limits, and read neither `_redirects` nor `_headers`."""


_DYNAMIC = re.compile(r"\*|:[A-Za-z]")


def effective_lines(text: str) -> list[str]:
    """The lines of a `_redirects` or `_headers` file that are neither empty nor comments, without spaces around them."""
    return [line for row in text.split("\n") if (line := row.strip()) and not line.startswith("#")]


def is_dynamic(rule: str) -> bool:
    """Whether a rule of `_redirects` matches several addresses."""
    return bool(_DYNAMIC.search(rule.split(maxsplit=1)[0].removeprefix("https:").removeprefix("http:")))


def at(url: str) -> HostName | None:
    """The host whose own domain a valid URL is below; None for any other domain."""
    domain = urlsplit(url).hostname or ""
    return next((name for name, host in HOSTS.items() if domain.endswith(tuple("." + d for d in host.domains))), None)
