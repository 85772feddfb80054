"""Compares the last build with the current one: which pages are stale, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from newsgen.builder.cache import engine
from newsgen.builder.manifest import Manifest, Record
from newsgen.builder.output import Output
from newsgen.builder.theme import Theme
from newsgen.files import Stamp
from newsgen.model import Site
from newsgen.pages import PageRef
from newsgen.text import digest


class LastBuild:
    """The last build into an output folder, as its manifest records it."""

    def __init__(
        self, output: Output, theme: Theme, site: Site, *, verify: bool, written: tuple[Stamp, Manifest] | None = None
    ) -> None:
        self.manifest = output.manifest(written)
        self._output, self._theme, self._verify = output, theme, verify
        self._inputs = engine(), digest(msgspec.msgpack.encode(site))
        self._template_is_fresh: dict[str, bool] = {"": True}

    def is_stale(self, ref: PageRef) -> bool:
        """Whether a page must be rendered."""
        record = self.manifest.files.get(ref.path)
        if record is None or record.page != ref.digest or record.template != ref.template:
            return True
        is_fresh = self._template_is_fresh.get(ref.template)
        if is_fresh is None:
            old = self.manifest
            digest_now = self._theme.digest_of(ref.template)
            is_fresh = (old.engine, old.site) == self._inputs and old.templates.get(ref.template) == digest_now
            self._template_is_fresh[ref.template] = is_fresh
        return not is_fresh or not self._output.is_intact(ref.path, record, verify=self._verify)

    def reasons(self, ref: PageRef) -> list[str]:
        """Why a page is stale, one reason per cause; empty if it is fresh."""
        old = self.manifest
        record = old.files.get(ref.path)
        if record is None:
            return ["the last build did not write it"]
        engine, site = self._inputs
        is_static = not ref.template
        reasons = [
            ("newsgen or one of its libraries has a different version", not is_static and old.engine != engine),
            ("the site's title, navigation or settings differ", not is_static and old.site != site),
            ("it uses a different template", record.template != ref.template),
            (
                "its template differs",
                not is_static and old.templates.get(record.template) != self._theme.digest_of(ref.template),
            ),
            ("its content differs", record.page != ref.digest),
        ]
        causes = [reason for reason, applies in reasons if applies]
        is_intact = causes or self._output.is_intact(ref.path, record, verify=self._verify)
        return causes or ([] if is_intact else ["its file is missing or was modified"])

    def next_manifest(self, refs: Mapping[str, PageRef], files: dict[str, Record], flags: Iterable[str]) -> Manifest:
        """The manifest of the current build, for the next one to compare with."""
        engine, site = self._inputs
        names = sorted({ref.template for ref in refs.values()} - {""})
        templates = {name: self._theme.digest_of(name) for name in names}
        return Manifest(engine=engine, site=site, flags=" ".join(sorted(flags)), templates=templates, files=files)
