"""Makes the build to publish: up to date, in a folder of its own, with all gates closed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from newsgen import urls
from newsgen.builder import (
    COPY,
    FOLDER,
    Findings,
    Loaded,
    Lock,
    Memory,
    Options,
    Output,
    Progress,
    Record,
    Report,
    SiteFile,
    SiteFiles,
    build,
    compare_with_limits,
)
from newsgen.config import Config, Publish
from newsgen.errors import PublishError
from newsgen.hosts import effective_lines
from newsgen.pages import attachment_pages
from newsgen.publish import files
from newsgen.publish.files import File

_LINK = re.compile(rb"""<a\s[^<>]*?href="(/[^"#?]*)\"""")


class SiteBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A production build. `fingerprinted` are the paths of files with a digest of their bytes in their name.

    `pageless` are the paths at which articles without a story would have a page if the site had such pages.
    """

    root: Path
    config: Config
    written: Mapping[str, Record]
    fingerprinted: frozenset[str]
    pageless: frozenset[str]
    report: Report

    def files(self, layout: str, target_settings: Publish) -> dict[str, File]:
        """The files to publish to a target with a given layout, by path."""
        if layout == "objects":
            encoding = next(iter(target_settings.precompress), "")
            return files.objects(self.root, self.written, self.fingerprinted, target_settings.headers, encoding)
        return files.plain(
            self.root, self.written, self.fingerprinted, target_settings.precompress if layout == "beside" else ()
        )

    def compare_with_limits(self, files: Mapping[str, File]) -> Findings:
        """The limits of the host that these files break or are near."""
        templates = {path: record.template for path, record in self.written.items()}
        sized = SiteFiles.of(SiteFile(path, templates.get(path, COPY), file.size) for path, file in files.items())
        return compare_with_limits(self.config, sized, self._text("_redirects"), self._text("_headers"))

    def _text(self, name: str) -> str:
        try:
            return (self.root / name).read_text("utf-8", "replace") if name in self.written else ""
        except OSError:
            return ""

    def front_links(self) -> tuple[str, ...]:
        """The addresses of the stories and articles on the front page, in order."""
        return front_links(self.root, self.written, self.config.root)

    def lost(self, paths: Iterable[str]) -> list[str]:
        """The addresses of the missing pages at these paths that readers should still find.

        Pages that a rule in `_redirects` covers or `redirects.gone` lists are not among them, nor are those of articles
        whose story has dissolved on a site without pages of single articles.
        """
        gone = {urls.stub(urls.old(old)[0]) for old in self.config.redirects.gone}
        redirected = self._redirected_paths()
        folders = tuple(path.removesuffix("*") for path in redirected if path.endswith("/*"))
        expected = redirected | self.pageless | gone
        return [urls.address(path) for path in paths if path not in expected and not path.startswith(folders)]

    def _redirected_paths(self) -> set[str]:
        """The output files that a rule in `_redirects` covers; with a `*` at the end, all below a folder."""
        olds = (line.split()[0] for line in effective_lines(self._text("_redirects")))
        return {urls.path("/" + old.removeprefix(self.config.root)) for old in olds}


def work_folder(site: Path) -> Path:
    """The folder for the build to publish and other working files."""
    return site / FOLDER / "publish"


def build_site(options: Options, progress: Progress | None) -> SiteBuild:
    """Builds a site as readers will see it, and repairs files in the build folder that were altered.

    Ignores the gates, output folder and strictness in `options`.
    """
    root = work_folder(options.site) / "site"
    # Without a manifest, a build would refuse to replace the files in the folder.
    if root.exists() and not Output(root).manifest().files:
        shutil.rmtree(root)
    build_options = msgspec.structs.replace(options, output=root, show=frozenset(), strict=False, verify=True)
    memory = Memory()
    report = build(build_options, progress, memory=memory)
    assert memory.loaded  # noqa: S101  a build with verify=True always loads the site
    loaded = memory.loaded
    fingerprinted = {a[1:] for source, a in loaded.theme.fingerprints().items() if a != "/" + source}
    if loaded.site.brand and loaded.site.brand.styles:
        fingerprinted.add(urls.path(loaded.site.brand.styles))
    attachments = (attachment_pages(loaded.library, address) for address in loaded.library.attachments())
    fingerprinted.update(page.path for pages in attachments for page in pages)
    return SiteBuild(
        root=root,
        config=memory.loaded.config,
        written=Output(root).manifest().files,
        fingerprinted=frozenset(fingerprinted),
        pageless=frozenset(_pageless(memory.loaded)),
        report=report,
    )


def _pageless(loaded: Loaded) -> Iterator[str]:
    library = loaded.library
    if loaded.config.pages.articles == "own":
        alone = (row for row in library.rows.ascending() if not row.in_story and not row.page and not row.coverage)
        paths = (urls.path(library.address[row.id]) for row in alone)
        yield from (path for path in paths if path not in loaded.plan)


def publish_lock(site: Path) -> AbstractContextManager[None]:
    """Holds a lock so that only one publish of a site runs on this machine: publishes share the build folder."""
    busy = PublishError(f"{site}: another publish of this site is running; wait until it has finished")
    return Lock(work_folder(site) / "lock").held(busy, site / FOLDER)


def front_links(root: Path, written: Mapping[str, Record], base: str) -> tuple[str, ...]:
    """The addresses of stories and articles that a build's front page links to. Every link starts with `base`."""
    try:
        found = _LINK.findall((root / "index.html").read_bytes())
    except OSError:
        return ()
    links = (link.decode("utf-8", "replace").replace("&amp;", "&") for link in found)
    paths = (urls.path("/" + link[len(base) :]) for link in links if link.startswith(base))
    linked = (p for p in paths if p in written and files.kind_of(p, written[p]) in ("story", "article"))
    return tuple(dict.fromkeys(map(urls.address, linked)))
