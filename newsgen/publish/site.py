"""A site's sources become the build that is published: fresh, with nothing shown that is held back, in a folder of its own."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import msgspec

from newsgen import urls
from newsgen.builder import FOLDER, Lock, Memory, Options, Output, Progress, Record, Report, build
from newsgen.config import Config, Publish
from newsgen.errors import OutputError, PublishError
from newsgen.publish import files
from newsgen.publish.files import File

_LINK = re.compile(rb"""<a\s[^<>]*?href="(/[^"#?]*)\"""")


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A production build. `fixed` are the paths of assets whose name holds a fingerprint."""

    root: Path
    config: Config
    written: dict[str, Record]
    fixed: frozenset[str]
    report: Report

    def files(self, form: str, place: Publish) -> dict[str, File]:
        """What is to stand at a target that wants its files in a form, by path."""
        if form == "objects":
            encoding = next(iter(place.precompress), "")
            return files.objects(self.root, self.written, self.fixed, place.headers, encoding)
        return files.plain(self.root, self.written, self.fixed, place.precompress if form == "beside" else ())

    def front(self) -> tuple[str, ...]:
        """The stories and articles that the front page leads to, in their order."""
        return front(self.root, self.written, self.config.root)

    def unanswered(self, paths: Iterable[str]) -> list[str]:
        """The addresses of those paths that no line of `_redirects` answers."""
        redirected = self._redirected()
        return [urls.address(path) for path in paths if path not in redirected]

    def _redirected(self) -> set[str]:
        try:
            lines = (self.root / "_redirects").read_text(encoding="utf-8").splitlines()
        except OSError:
            return set()
        olds = (line.split()[0] for line in lines if line.strip())
        return {urls.path("/" + unquote(old).removeprefix(self.config.root)) for old in olds}


def own(site: Path) -> Path:
    """The folder of what publishing a site needs here."""
    return site / FOLDER / "publish"


def built(options: Options, progress: Progress | None, *, strict: bool) -> Built:
    """Builds a site as readers are to see it, and mends what was altered in that folder.

    What `options` say of drafts, of files with errors and of the output does not count. With `strict` and a problem in
    the report nothing was written.
    """
    root = own(options.site) / "site"
    # A folder whose manifest is gone holds nothing that a build would dare to replace.
    if root.exists() and not Output(root).manifest().files:
        shutil.rmtree(root)
    told = msgspec.structs.replace(options, output=root, show=frozenset(), strict=strict, verify=True)
    memory = Memory(keep=False)
    report = build(told, progress, memory=memory)
    assert memory.loaded  # noqa: S101  a build that verifies always loads
    fixed = (a[1:] for source, a in memory.loaded.theme.fingerprints().items() if a != "/" + source)
    return Built(
        root=root,
        config=memory.loaded.config,
        written=Output(root).manifest().files,
        fixed=frozenset(fixed),
        report=report,
    )


@contextlib.contextmanager
def alone(site: Path) -> Iterator[None]:
    """One publish of a site at a time on this machine: they share the folder they build into."""
    lock = Lock(own(site) / "lock")
    try:
        lock.take()
    except OutputError:
        raise PublishError(f"{site}: another publish of this site is at work; wait until it is done") from None
    except OSError as error:
        raise PublishError(f"{site / FOLDER}: cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def front(root: Path, written: Mapping[str, Record], base: str) -> tuple[str, ...]:
    """The addresses of stories and articles that a build's front page leads to. `base` begins every link."""
    try:
        found = _LINK.findall((root / "index.html").read_bytes())
    except OSError:
        return ()
    links = (unquote(link.decode("utf-8", "replace").replace("&amp;", "&")) for link in found)
    paths = (urls.path("/" + link[len(base) :]) for link in links if link.startswith(base))
    told = (p for p in paths if p in written and files.kind_of(p, written[p]) in ("story", "article"))
    return tuple(dict.fromkeys(map(urls.address, told)))
