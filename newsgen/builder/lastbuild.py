"""Compares the last build with the current one: which pages are stale, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import msgspec

from newsgen.builder.cache import engine
from newsgen.builder.manifest import Manifest, Record
from newsgen.builder.output import Output
from newsgen.builder.snapshot import Differences
from newsgen.builder.theme import Theme
from newsgen.errors import TemplateError
from newsgen.model import Site
from newsgen.pages import PageRef
from newsgen.text import digest


class LastBuild:
    """The last build into an output folder, as its manifest records it.

    `differences` is what differs from it, if that is known. With `verify`, output files are compared by their bytes.
    """

    def __init__(
        self, output: Output, theme: Theme, site: Site, differences: Differences | None = None, *, verify: bool
    ) -> None:
        self.manifest = output.manifest(differences.written if differences else None)
        # If another build has written in the meantime, `altered` says nothing of its files.
        self._is_known = differences is not None and self.manifest is differences.written[1]
        self._altered: frozenset[str] | None = None
        self._differences = differences
        self._output, self._theme, self._verify = output, theme, verify
        self._inputs = engine(), digest(msgspec.msgpack.encode(site))
        self._template_is_fresh: dict[str, bool] = {"": True}

    def stale_paths(self) -> list[str] | None:
        """The pages that must be rendered whatever they hold; None for all pages. Compares all output files."""
        old = self.manifest
        if self._differences and self._is_known and not self._verify:
            self._altered = frozenset(self._differences.altered)
        if not self._is_known or (old.engine, old.site) != self._inputs:
            return None
        found = old.using(name for name, digest in old.templates.items() if not self._is_same(name, digest))
        if self._verify:
            found += [path for path, record in old.files.items() if not self._is_intact(path, record)]
        return found + sorted(self._altered or ())

    def _is_same(self, template: str, digest: str) -> bool:
        try:
            return self._theme.digest_of(template) == digest
        except TemplateError:  # it is gone, or the manifest is damaged
            return False

    def is_stale(self, ref: PageRef) -> bool:
        """Whether a page must be rendered."""
        record = self.manifest.get(ref.path)
        if record is None or record.page != ref.digest or record.template != ref.template:
            return True
        is_fresh = self._template_is_fresh.get(ref.template)
        if is_fresh is None:
            old = self.manifest
            digest_now = self._theme.digest_of(ref.template)
            is_fresh = (old.engine, old.site) == self._inputs and old.templates.get(ref.template) == digest_now
            self._template_is_fresh[ref.template] = is_fresh
        return not is_fresh or not self._is_intact(ref.path, record)

    def _is_intact(self, path: str, record: Record) -> bool:
        if self._altered is not None:
            return path not in self._altered
        return self._output.is_intact(path, record, verify=self._verify)

    def reasons(self, ref: PageRef) -> list[str]:
        """Why a page is stale, one reason per cause; empty if it is fresh."""
        old = self.manifest
        record = old.get(ref.path)
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
        is_intact = causes or self._is_intact(ref.path, record)
        return causes or ([] if is_intact else ["its file is missing or was modified"])

    def next_manifest(self, changes: Mapping[str, Record | None], flags: Iterable[str]) -> Manifest:
        """The manifest of the current build, for the next one to compare with.

        `changes` are the records of the files that this build writes, and None for those that it removes.
        """
        engine, site = self._inputs
        manifest = self.manifest.updated(changes)
        templates = {name: self._theme.digest_of(name) for name in sorted(manifest.used_templates()) if name}
        return dataclasses.replace(
            manifest, engine=engine, site=site, flags=" ".join(sorted(flags)), templates=templates
        )
