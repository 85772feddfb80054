"""Whose file wins: a site's own templates and static files, else the shipped ones by the same path."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from pathlib import Path

import jinja2
import msgspec
from jinja2 import meta, nodes

from newsgen.builder.cache import Cache, CachedValues
from newsgen.errors import OutputError, Problem, TemplateError
from newsgen.files import shipped_site
from newsgen.pages import FilePage
from newsgen.text import digest, digest_bytes

SHIPPED = "newsgen"
"""`{% extends "newsgen/base.html" %}` always means the shipped template, also in a file that overrides it."""

DEMO = "demo/"
"""Pictures of the demonstration content: copied into a new site, never inherited by one."""

_kept = msgspec.msgpack.Decoder(dict[str, tuple[bytes, frozenset[str], frozenset[str]]])
# What manifests, object stores and file systems do not all take.
_NO_ADDRESS = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")
_SKIPPED = (".DS_Store", "Thumbs.db")


class Theme:
    """The templates and static files that make one site. `site` is its folder; `cache` spares reading templates twice.

    Without `marked` static files keep their names.
    """

    def __init__(self, site: Path, cache: Cache | CachedValues | None = None, *, marked: bool = True) -> None:
        self.site = site
        self.marked = marked
        self._own = site.resolve() != shipped_site().resolve()
        shipped = jinja2.FileSystemLoader(shipped_site() / "templates")
        own = [jinja2.FileSystemLoader(site / "templates")] if self._own else []
        self.loader = jinja2.ChoiceLoader([*own, shipped, jinja2.PrefixLoader({SHIPPED: shipped})])
        self._parser = jinja2.Environment(loader=self.loader, trim_blocks=True, lstrip_blocks=True)
        self._parser.filters["asset"] = str
        self.static = self._static()
        self._closures: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self._sources: dict[str, str] = {}
        self._known: dict[str, tuple[bytes, frozenset[str], frozenset[str]]] = {}
        self.digest_of = functools.cache(self._digest)
        self.fingerprints = functools.cache(self._fingerprints)
        if cache:
            self._recall(cache)

    def _static(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for root in [shipped_site(), self.site] if self._own else [shipped_site()]:
            top = root / "static"
            for folder, folders, names in os.walk(top):
                folders.sort()
                for name in sorted(names):
                    file = Path(folder, name)
                    source = file.relative_to(top).as_posix()
                    inherited = self._own and root == shipped_site() and source.startswith(DEMO)
                    if name not in _SKIPPED and not name.endswith("~") and not inherited and file.is_file():
                        found[source] = file
        if strange := [source for source in found if _NO_ADDRESS.search(source)]:
            what, hint = "a name with a backslash or a control character cannot be an address", "rename the file"
            raise OutputError(*(Problem(path=f"static/{ascii(s)[1:-1]}", what=what, hint=hint) for s in strange))
        return found

    def closure(self, name: str) -> tuple[frozenset[str], frozenset[str]]:
        """All templates that one is made of, itself included, and the static files they link with `asset`.

        Raises TemplateError for what cannot be found, parsed or foreseen.
        """
        if name not in self._closures:
            self._closures[name] = (frozenset({name}), frozenset())
            others, assets = self._links(name)
            names = {name}
            for other in others:
                inner = self.closure(other)
                names |= inner[0]
                assets |= inner[1]
            self._closures[name] = (frozenset(names), assets)
        return self._closures[name]

    def _links(self, name: str) -> tuple[frozenset[str], frozenset[str]]:
        """The templates and static files that one names itself."""
        source = self._source(name)
        mark = digest_bytes(source.encode())
        known = self._known.get(name)
        if known and known[0] == mark:
            return known[1:]
        try:
            tree = self._parser.parse(source, name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"templates/{error.name or name}:{error.lineno}: {error.message}") from None
        assets = set()
        for found in tree.find_all(nodes.Filter):
            if found.name == "asset":
                if not isinstance(found.node, nodes.Const):
                    raise TemplateError(f"templates/{name}:{found.lineno}: `asset` takes a path in quotes")
                assets.add(str(found.node.value))
        others = set()
        for other in meta.find_referenced_templates(tree):
            if other is None:
                raise TemplateError(f"templates/{name}: `extends`, `import` and `include` take a name in quotes")
            others.add(other)
        self._known[name] = mark, frozenset(others), frozenset(assets)
        return self._known[name][1:]

    def _recall(self, cache: Cache | CachedValues) -> None:
        """Has from an earlier build what templates name, or keeps it for a later one."""
        with contextlib.suppress(msgspec.DecodeError):
            self._known = _kept.decode(cache.get("closures") or b"\x80")
        known = self._known.copy()
        try:
            for name in self._parser.list_templates():
                self.closure(name)
        except (TemplateError, OSError, UnicodeDecodeError):
            self._closures.clear()  # to be met again by whoever asks for that template
        if self._known != known:
            cache.put("closures", msgspec.msgpack.encode(self._known, order="deterministic"))

    def used(self) -> set[str]:
        """The names of all templates that pages may be made of, parts and shipped ones below a site's own included."""
        return {other for name in self._names() for other in self.closure(name)[0]}

    def _names(self) -> list[str]:
        """All templates but the shipped ones by their other name."""
        return [n for n in self._parser.list_templates() if not n.startswith(SHIPPED + "/")]

    def _source(self, name: str) -> str:
        if name not in self._sources:
            try:
                self._sources[name] = self.loader.get_source(self._parser, name)[0]
            except jinja2.TemplateNotFound:
                raise TemplateError(f"templates/{name}: there is no such template") from None
            except (OSError, UnicodeDecodeError) as error:
                raise TemplateError(f"templates/{name}: cannot be read: {error}") from None
        return self._sources[name]

    def _digest(self, name: str) -> str:
        """32 hex digits of all that a template is made of."""
        names, assets = self.closure(name)
        parts = [f"{n}\0{self._source(n)}" for n in sorted(names)] + [self.asset(a) for a in sorted(assets)]
        return digest("\0".join(parts).encode())

    def _fingerprints(self) -> dict[str, str]:
        """The address of each static file that some template links, with a digest of its content in its name."""
        linked = {asset for name in self._names() for asset in self.closure(name)[1]}
        out = {}
        for source in linked:
            if source not in self.static:
                raise TemplateError(f"static/{source}: a template links it, but there is no such file")
            stem, dot, ending = source.rpartition(".")
            mark = digest(self.static[source].read_bytes())[:8]
            out[source] = f"/{stem}.{mark}{dot}{ending}" if self.marked else f"/{source}"
        return out

    def asset(self, source: str) -> str:
        """The address of a static file for a template."""
        return self.fingerprints()[source]

    def files(self) -> tuple[FilePage, ...]:
        """The static files as pages: those that templates link under their fingerprint, the others as they are."""
        marks = self.fingerprints()
        return tuple(
            FilePage(path=marks.get(source, "/" + source)[1:], source=source, content=digest(file.read_bytes()))
            for source, file in self.static.items()
        )
