"""Finds templates and static files: a site's own files override shipped ones with the same path."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import jinja2
import msgspec
from jinja2 import meta, nodes
from jinja2.ext import extract_from_ast

from newsgen.builder import plugins, translation
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.plugincode import Code
from newsgen.builder.plugins import NONE, Plugins
from newsgen.errors import OutputError, Problem, TemplateError, unreadable
from newsgen.files import folder_link, shipped_site
from newsgen.pages import FilePage
from newsgen.text import digest
from newsgen.validation import did_you_mean

SHIPPED = "newsgen"
"""The prefix of shipped templates: a site's own base.html can extend `newsgen/base.html`, which it overrides."""

DEMO = "demo/"
"""Pictures of the demonstration content: copied into a new site, never inherited."""

Closure: TypeAlias = tuple[frozenset[str], frozenset[str]]
"""The templates that a template uses, and the static files that these link."""


class References(NamedTuple):
    """What a template refers to itself: templates, static files, and the template that it extends ("" for none).

    `blocks` are the lines of its blocks by name, and `inner` the blocks that lie in another one. `beside` is the first
    line that a template which extends another writes beside its blocks, 0 if there is none.
    """

    templates: frozenset[str]
    assets: frozenset[str]
    parent: str
    blocks: dict[str, int]
    inner: frozenset[str]
    beside: int


_decoder = msgspec.msgpack.Decoder(dict[str, References])
# Characters that some manifests, object stores or file systems do not accept.
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")
SLOTS = ("after_lead", "after_top", "in_list", "side", "before_footer", "in_footer")
"""The blocks of pages that are empty until a site fills them."""

_SLOT = re.compile(rf"\{{%[-+]?\s*block\s+(?:{'|'.join(SLOTS)})\b")
_IGNORED = (".DS_Store", "Thumbs.db")
_EMACS_LOCK = ".#"
"""The beginning of the names of Emacs' locks, which are links that lead nowhere."""


class SentTheme(NamedTuple):
    """What rendering needs of a theme, for a process that may not see its folder.

    `templates` have a text and a file name each, and None: Jinja does not ask whether they changed. `static` are files.
    `code` is that of the plugins, if these have filters.
    """

    templates: dict[str, tuple[str, str | None, None]]
    addresses: dict[str, str]
    static: dict[str, Path]
    code: Code
    content: Path
    site: Path

    @property
    def loader(self) -> jinja2.BaseLoader:
        return jinja2.FunctionLoader(self.templates.get)

    def fingerprints(self) -> dict[str, str]:
        """The address of each static file that a template links, with its fingerprint."""
        return self.addresses

    def asset(self, source: str) -> str:
        """The address of a static file that a template links."""
        return self.addresses[source]

    @property
    def plugins(self) -> Plugins:
        """The plugins, whose filters templates use."""
        return plugins.load(self.code)

    def take_tree(self, _: str) -> None:
        """No parsed template: other processes receive compiled ones."""


class _PluginTemplates(jinja2.BaseLoader):
    """The templates of plugins. Errors call them by their names."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def get_source(self, _: jinja2.Environment, name: str) -> tuple[str, str | None, None]:
        if name not in self._sources:
            raise jinja2.TemplateNotFound(name)
        return self._sources[name], name, None

    def list_templates(self) -> list[str]:
        return sorted(self._sources)


class Theme:
    """The templates and static files of one site. `problems` are the static files that cannot be read.

    `site` is its folder; `cache` keeps the links between templates. `content` is the folder of the content files,
    beside which lie the files that these name. Without `fingerprinted`, static files keep their names. `linked` are
    static files that pages link besides those that templates link. `head_file` is the name of the plain HTML file among
    the templates that goes into the head of every page, "" if there is none. `plugins` may have templates and filters.
    Raises TemplateError for templates that cannot be read, and OutputError for static files whose names cannot be part
    of a URL.
    """

    def __init__(
        self,
        site: Path,
        cache: Cache | CachedValues | None = None,
        *,
        content: Path | None = None,
        fingerprinted: bool = True,
        linked: Iterable[str] = (),
        head_file: str = "",
        plugins: Plugins = NONE,
    ) -> None:
        self.site = site
        self.plugins = plugins
        self.content = content or site / "content"
        self.fingerprinted = fingerprinted
        self._linked, self._head_file = frozenset(linked), head_file
        self._is_own_site = site.resolve() != shipped_site().resolve()
        shipped = jinja2.FileSystemLoader(shipped_site() / "templates")
        own = [jinja2.FileSystemLoader(site / "templates")] if self._is_own_site else []
        theirs = [_PluginTemplates(plugins.templates)] if plugins.templates else []
        self.loader = jinja2.ChoiceLoader([*own, *theirs, shipped, jinja2.PrefixLoader({SHIPPED: shipped})])
        self._parser = translation.parser(loader=self.loader)
        self._parser.filters["asset"] = str
        names = "|".join(sorted(plugins.filters))
        # By name: a filter may also be the argument of another, as in `map("km")`.
        self._filters = re.compile(rf"\b(?:{names})\b") if names else None
        self.problems: list[Problem] = []
        self._walk(site, "templates")
        if self.problems:
            raise TemplateError(*self.problems)
        self.static = self._static()
        self._closures: dict[str, Closure] = {}
        self._sources: dict[str, str] = {}
        self._references: dict[str, References] = {}
        self._trees: dict[str, nodes.Template] = {}
        self._file_digests: dict[str, str] = {}
        self.digest_of = functools.cache(self._digest)
        self.own_templates = functools.cache(self._own_templates)
        self.fingerprints = functools.cache(self._fingerprints)
        if cache:
            self._load_references(cache)

    def _static(self) -> dict[str, Path]:
        static: dict[str, Path] = {}
        for root in [shipped_site(), self.site] if self._is_own_site else [shipped_site()]:
            for source, file in self._walk(root, "static"):
                inherited = self._is_own_site and root == shipped_site() and source.startswith(DEMO)
                if file.name not in _IGNORED and not file.name.endswith("~") and not inherited and file.is_file():
                    static[source] = file
        if unsafe := [source for source in static if _UNSAFE.search(source)]:
            what, hint = "file name contains a backslash, control character or invalid UTF-8", "rename the file"
            raise OutputError(*(Problem(path=f"static/{ascii(s)[1:-1]}", what=what, hint=hint) for s in unsafe))
        return static

    def _walk(self, root: Path, kind: str) -> list[tuple[str, Path]]:
        """All files below a folder of a site, each with its path below it; sorted, the files of a folder first.

        Adds a problem for each link and folder that cannot be read. Links to folders are not followed.
        """
        top = root / kind

        def name_of(path: str | Path) -> str:
            name = Path(path).relative_to(root).as_posix()
            return name.encode("utf-8", "backslashreplace").decode()

        def failed(error: OSError) -> None:
            if error.filename != str(top) or top.is_symlink():  # a site need not have the folder
                self.problems.append(unreadable(name_of(error.filename), error))

        files = []
        for folder, folders, names in os.walk(top, onerror=failed):
            folders.sort()
            for name in sorted(names):
                file = Path(folder, name)
                files.append((file.relative_to(top).as_posix(), file))
                if file.is_symlink() and not name.startswith(_EMACS_LOCK):
                    try:
                        file.stat()
                    except OSError as error:
                        self.problems.append(unreadable(name_of(file), error))
            if kind == "static":  # templates behind such links are found, because they are looked up by name
                links = (Path(folder, name) for name in folders)
                self.problems += (folder_link(name_of(link)) for link in links if link.is_symlink())
        return files

    def closure(self, name: str) -> Closure:
        """All templates that a template uses, including itself, and the static files that they link with `asset`.

        Raises TemplateError if a template cannot be found or parsed, or computes a name when rendering.
        """
        if name not in self._closures:
            self._closures[name] = (frozenset({name}), frozenset())
            references = self._references_of(name)
            names, assets = {name}, references.assets
            for other in references.templates:
                inner = self.closure(other)
                names |= inner[0]
                assets |= inner[1]
            self._closures[name] = (frozenset(names), assets)
        return self._closures[name]

    def _references_of(self, name: str) -> References:
        source = self._source(name)
        key = digest(source.encode())  # a shipped template has two names
        if key not in self._references:
            self._references[key] = self._find_references(source, name)
        return self._references[key]

    def _find_references(self, source: str, name: str) -> References:
        try:
            tree = self._trees[source] = self._parser.parse(source, name)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"templates/{error.name or name}:{error.lineno}: {error.message}") from None
        assets = set()
        for filter_ in tree.find_all(nodes.Filter) if "asset" in source else ():
            if filter_.name == "asset":
                if not isinstance(filter_.node, nodes.Const):
                    raise TemplateError(
                        f"templates/{name}:{filter_.lineno}: `asset` takes a path in quotes, such as 'css/site.css'"
                    )
                assets.add(str(filter_.node.value))
        others = set()
        for other in meta.find_referenced_templates(tree):
            if other is None:
                raise TemplateError(
                    f"templates/{name}: `extends`, `import` and `include` take a template name in quotes"
                )
            others.add(other)
        parent = tree.find(nodes.Extends)
        blocks = list(tree.find_all(nodes.Block))
        return References(
            templates=frozenset(others),
            assets=frozenset(assets),
            parent=parent.template.value if parent and isinstance(parent.template, nodes.Const) else "",
            blocks={block.name: block.lineno for block in blocks},
            inner=frozenset(inner.name for block in blocks for inner in block.find_all(nodes.Block)),
            beside=next(_written(tree.body[tree.body.index(parent) + 1 :]), 0) if parent in tree.body else 0,
        )

    def take_tree(self, source: str) -> nodes.Template | None:
        """The parsed template with a text, if its references were found in this build. Compiling may change it."""
        return self._trees.pop(source, None)

    def _load_references(self, cache: Cache | CachedValues) -> None:
        """Loads the links between templates from the cache, and stores them there if they changed."""
        with contextlib.suppress(msgspec.DecodeError):
            self._references = _decoder.decode(cache.get("references") or b"\x80")
        known = len(self._references)
        try:
            for name in self._parser.list_templates():
                if name != self._head_file:
                    self.closure(name)
        except (TemplateError, OSError, UnicodeDecodeError):
            self._closures.clear()  # raised again when that template is used
        if len(self._references) != known:
            sources = {digest(source.encode()) for source in self._sources.values()}
            current = {key: found for key, found in self._references.items() if key in sources}
            cache.put("references", msgspec.msgpack.encode(current, order="deterministic"))

    def used(self) -> set[str]:
        """All templates that pages may use, including parts and the shipped ones that a site's own templates extend."""
        return {other for name in self._names() for other in self.closure(name)[0]}

    def sent(self) -> SentTheme:
        """The theme for other processes. Raises TemplateError as `closure` does."""
        sources = {name: self.loader.get_source(self._parser, name)[:2] for name in sorted(self.used())}
        templates = {name: (*source, None) for name, source in sources.items()}
        code = self.plugins.code if self.plugins.filters else Code()
        return SentTheme(templates, self.fingerprints(), self.static, code, self.content, self.site)

    def has(self, name: str) -> bool:
        """Whether there is a template with this name."""
        return name in self._names()

    def messages(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """All messages of own and shipped templates: the template, the function and its constant arguments.

        Raises TemplateError as `closure` does.
        """
        for name in sorted(self._parser.list_templates(), key=lambda name: (name.startswith(SHIPPED + "/"), name)):
            try:
                tree = self._parser.parse(self._source(name), name)
            except jinja2.TemplateSyntaxError as error:
                raise TemplateError(f"templates/{error.name or name}:{error.lineno}: {error.message}") from None
            for _, function, arguments in extract_from_ast(tree, translation.FUNCTIONS, babel_style=False):
                yield name.removeprefix(SHIPPED + "/"), function, tuple(str(argument) for argument in arguments or ())

    def _names(self) -> list[str]:
        """All templates, without the `newsgen/` names of the shipped ones."""
        names = self._parser.list_templates()
        return [name for name in names if not name.startswith(SHIPPED + "/") and name != self._head_file]

    def _own_templates(self) -> dict[str, str]:
        """The texts of the site's own templates, by name."""
        names = jinja2.FileSystemLoader(self.site / "templates").list_templates() if self._is_own_site else []
        return {name: self._source(name) for name in names if name != self._head_file}

    def fills_slots(self) -> bool:
        """Whether the site's own templates fill one of the slots. Pages of other sites need not ask for them."""
        return any(_SLOT.search(text) for text in self.own_templates().values())

    def unshown(self) -> Iterator[Problem]:
        """One warning for each block of the site's own templates that no page shows, and for what they write beside.

        Raises TemplateError as `closure` does.
        """
        for name, source in self.own_templates().items():
            references = self._references_of(name)
            known = {block for parent in self._parents(name) for block in self._references_of(parent).blocks}
            shown = known | references.inner
            for block, line in references.blocks.items():
                if references.parent and block not in shown and f"self.{block}" not in source:
                    what = f"no page shows the block '{block}': {references.parent} has none of that name"
                    hint = did_you_mean(block, known) or f"it has {', '.join(sorted(known))}"
                    yield Problem(path=f"templates/{name}", line=line, what=what, hint=hint)
            if references.beside:
                what = f"no page shows what is written beside the blocks: the template extends {references.parent}"
                hint = "write it in a block"
                yield Problem(path=f"templates/{name}", line=references.beside, what=what, hint=hint)

    def _parents(self, name: str) -> Iterator[str]:
        """The template that a template extends, the one that this extends, and so on."""
        seen = {name}
        while (name := self._references_of(name).parent) and name not in seen:
            seen.add(name)
            yield name

    def own_files(self, ending: str) -> list[str]:
        """The static files of the site's own that have an ending."""
        own = self.site / "static"
        return [s for s, f in self.static.items() if self._is_own_site and s.endswith(ending) and own in f.parents]

    def head(self) -> str:
        """The text of the head file, with line ends as browsers read them; "" without one."""
        return self._source(self._head_file) if self._head_file else ""

    def _source(self, name: str) -> str:
        if name not in self._sources:
            try:
                self._sources[name] = self.loader.get_source(self._parser, name)[0]
            except jinja2.TemplateNotFound:
                raise TemplateError(f"templates/{name}: template not found; create it or correct the name") from None
            except (OSError, UnicodeDecodeError) as error:
                raise TemplateError(f"templates/{name}: cannot be read: {error}") from None
        return self._sources[name]

    def _digest(self, name: str) -> str:
        """A digest of a template and everything that it uses, as 32 hex digits."""
        names, assets = self.closure(name)
        parts = [f"{n}\0{self._source(n)}" for n in sorted(names)] + [self.asset(a) for a in sorted(assets)]
        if self._filters and any(self._filters.search(self._source(n)) for n in names):
            parts.append(self.plugins.digest.hex())
        return digest("\0".join(parts).encode())

    def _fingerprints(self) -> dict[str, str]:
        """The address of each static file that a template links, with its fingerprint."""
        linked = {asset for name in self._names() for asset in self.closure(name)[1]} | self._linked
        addresses = {}
        for source in linked:
            if source not in self.static:
                raise TemplateError(
                    f"static/{source}: a template or site.toml links to this file, but it is missing; add it or remove the link"
                )
            stem, dot, ending = source.rpartition(".")
            fingerprint = self._file_digest(source)[:8]
            addresses[source] = f"/{stem}.{fingerprint}{dot}{ending}" if self.fingerprinted else f"/{source}"
        return addresses

    def asset(self, source: str) -> str:
        """The address of a static file that a template links."""
        return self.fingerprints()[source]

    def files(self) -> tuple[FilePage, ...]:
        """The static files as pages, under their own names. Those that templates link also have a fingerprinted one."""
        linked = self.fingerprints()
        return tuple(
            FilePage(path=address[1:], source=source, content=self._file_digest(source))
            for source in self.static
            for address in dict.fromkeys([linked.get(source, f"/{source}"), f"/{source}"])
        )

    def _file_digest(self, source: str) -> str:
        """The digest of a static file. Raises OutputError if the file cannot be read."""
        if source not in self._file_digests:
            try:
                self._file_digests[source] = digest(self.static[source].read_bytes())
            except OSError as error:
                raise OutputError(str(unreadable(f"static/{source}", error))) from None
        return self._file_digests[source]

    def size(self, source: str) -> tuple[int, int]:
        """The width and height of a picture; 0 if they are unknown. Raises OutputError if the file cannot be read."""
        from newsgen import pictures  # imported late: most sites ask for none

        try:
            return pictures.size(self.static[source].read_bytes()) or (0, 0)
        except (KeyError, OSError) as error:
            raise OutputError(f"static/{source}: cannot be read: {error}") from None

    def text(self, source: str) -> str:
        """The text of a static file; "" if there is none. Raises OutputError if it cannot be read."""
        try:
            return self.static[source].read_text(encoding="utf-8") if source in self.static else ""
        except (OSError, UnicodeDecodeError):
            raise OutputError(f"static/{source}: cannot be read as UTF-8; save it as UTF-8") from None


def _written(body: Iterable[nodes.Node]) -> Iterator[int]:
    """The lines at which these parts of a template write something outside of blocks."""
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                if not isinstance(part, nodes.TemplateData):
                    yield part.lineno
                elif part.data.strip():
                    yield part.lineno + part.data[: len(part.data) - len(part.data.lstrip())].count("\n")
