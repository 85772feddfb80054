"""The last build, compared with this one: which files are stale, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from newsgen.builder.cache import engine
from newsgen.builder.output import Manifest, Output, Record
from newsgen.builder.theme import Theme
from newsgen.files import Stamp
from newsgen.model import Site
from newsgen.pages import PageRef
from newsgen.text import digest


class LastBuild:
    """The last build, and which of its files are not what they should be."""

    def __init__(
        self, output: Output, theme: Theme, site: Site, *, verify: bool, written: tuple[Stamp, Manifest] | None = None
    ) -> None:
        self.manifest = output.manifest(written)
        self._output, self._theme, self._verify = output, theme, verify
        self._made_of = engine(), digest(msgspec.msgpack.encode(site))
        self._same: dict[str, bool] = {"": True}

    def is_stale(self, ref: PageRef) -> bool:
        """Whether a page has to be rendered."""
        was = self.manifest.files.get(ref.path)
        if was is None or was.page != ref.digest or was.template != ref.template:
            return True
        same = self._same.get(ref.template)
        if same is None:
            old = self.manifest
            mark = self._theme.digest_of(ref.template)
            same = (old.engine, old.site) == self._made_of and old.templates.get(ref.template) == mark
            self._same[ref.template] = same
        return not same or not self._output.stands(ref.path, was, verify=self._verify)

    def reasons(self, ref: PageRef) -> list[str]:
        """The parts of a page's key that differ from the last build's; none where its file is fresh."""
        old = self.manifest
        was = old.files.get(ref.path)
        if was is None:
            return ["no build wrote it"]
        engine, site = self._made_of
        static = not ref.template
        reasons = [
            ("newsgen or a library has another version", not static and old.engine != engine),
            ("the title, navigation or settings of the site differ", not static and old.site != site),
            ("it has another template", was.template != ref.template),
            (
                "its template differs",
                not static and old.templates.get(was.template) != self._theme.digest_of(ref.template),
            ),
            ("its content differs", was.page != ref.digest),
        ]
        found = [reason for reason, holds in reasons if holds]
        stands = found or self._output.stands(ref.path, was, verify=self._verify)
        return found or ([] if stands else ["its file is gone or was altered"])

    def next(self, refs: Mapping[str, PageRef], files: dict[str, Record], flags: Iterable[str]) -> Manifest:
        """What the next build is to find."""
        engine, site = self._made_of
        names = sorted({s.template for s in refs.values()} - {""})
        templates = {name: self._theme.digest_of(name) for name in names}
        return Manifest(engine=engine, site=site, flags=" ".join(sorted(flags)), templates=templates, files=files)
