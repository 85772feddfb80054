"""Loads and calls the plugins that site.toml names. No other code of a site is ever run.

Only what `plugincode` has read runs, because its digest is in the key of everything that plugins compute. So `load`
takes the site's own modules from memory, also in workers that do not see the site's folder, and checks that an
installed package is the one that was found.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from newsgen.builder import plugincode
from newsgen.builder.plugincode import FOLDER, Code
from newsgen.content import Parsed, Reader
from newsgen.errors import PluginError, Problem
from newsgen.library import AXES
from newsgen.model import Article
from newsgen.pages import PageMaker, PluginLibrary
from newsgen.plugin import Page, Plugin

_TEMPLATES = "templates/"
_OWN = "newsgen_site_plugins_"
"""The beginning of the name of the package that a site's own plugins are in, before its digest."""


_imported: dict[str, bytes] = {}
"""The digest of each installed package when it was imported, by its name."""


def _installed_class(name: str, digest: bytes) -> tuple[type[Plugin], dict[str, str]]:
    """The class of an installed plugin and its templates. Imports its package again if it has changed."""
    entry = plugincode.entries([name], ()).get(name)
    if entry is None or plugincode.digest_of_installed(entry) != digest:
        raise PluginError(
            f"plugin {name!r} was changed while the build ran, or a worker has another version; build again, with the same"
            " version on all machines"
        )
    package = entry.module.partition(".")[0]
    if _imported.get(package, digest) != digest:
        for module in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
            del sys.modules[module]
    _imported[package] = digest
    found = entry.load()
    if isinstance(found, ModuleType):
        found = _only_class(found, name)
    if not (isinstance(found, type) and issubclass(found, Plugin)):
        raise PluginError(f"plugin {name!r}: {entry.value} is not a class derived from newsgen.Plugin")
    texts = {path: data for place in plugincode.places(entry) for path, data in plugincode.read(place).items()}
    return found, _templates(name, texts)


def _templates(name: str, texts: Mapping[str, bytes]) -> dict[str, str]:
    """The templates of a plugin, by their names for other templates. Raises PluginError if one is not UTF-8."""
    found = {}
    for path, data in texts.items():
        if path.startswith(_TEMPLATES):
            try:
                found[f"{name}/{path.removeprefix(_TEMPLATES)}"] = data.decode()
            except UnicodeDecodeError:
                raise PluginError(f"plugin {name!r}: {path}: not valid UTF-8; save it as UTF-8") from None
    return found


# The site's own plugins


class _Modules:
    """Imports the modules of a site's folder `plugins/` from what was read of them, as a package with this `name`.

    A finder and loader without the base classes of importlib.abc, which takes long to import.
    """

    def __init__(self, name: str, sources: Mapping[str, bytes]) -> None:
        self.name, self._sources = name, sources

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if fullname != self.name and not fullname.startswith(f"{self.name}."):
            return None
        inner = fullname.removeprefix(self.name)[1:].replace(".", "/")
        file = next((f for f in (f"{inner}/__init__.py", f"{inner}.py") if f in self._sources), None)
        if inner and file is None:
            return None
        is_package = not inner or (file or "").endswith("/__init__.py")
        spec = ModuleSpec(fullname, None, origin=f"{FOLDER}/{file or ''}", loader_state=file, is_package=is_package)
        spec.loader = self  # type: ignore[assignment]  # a loader by its methods
        spec.has_location = True  # for __file__, by which tracebacks name the module
        return spec

    def create_module(self, _spec: ModuleSpec) -> None:
        """Leaves that to the interpreter."""

    def exec_module(self, module: ModuleType) -> None:
        if file := module.__spec__ and module.__spec__.loader_state:
            code = compile(self._sources[file], f"{FOLDER}/{file}", "exec", dont_inherit=True)
            exec(code, vars(module))  # noqa: S102 (the site's own code)


def _own_class(name: str, code: Code) -> type[Plugin]:
    package = f"{_OWN}{code.digest.hex()}"
    if not any(isinstance(finder, _Modules) and finder.name == package for finder in sys.meta_path):
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Modules)]
        for module in [module for module in sys.modules if module.startswith(_OWN)]:
            del sys.modules[module]
        sys.meta_path.insert(0, _Modules(package, code.files))
    return _only_class(importlib.import_module(f"{package}.{name}"), name)


def _only_class(module: ModuleType, name: str) -> type[Plugin]:
    """The plugin's class: the one in its module that is derived from Plugin. Raises PluginError."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        count = "no class" if not found else f"{len(found)} classes"
        raise PluginError(f"plugin {name!r}: its module has {count} derived from newsgen.Plugin; write exactly one")
    return found[0]


# Loading and calling


class Plugins:
    """The plugins of a site. `seconds` is how long the `pages` of each took in this build, by name."""

    def __init__(self, code: Code) -> None:
        self.code, self.digest = code, code.digest
        self.templates: dict[str, str] = {}
        self.plugins: dict[str, Plugin] = {}
        self.filters: dict[str, Callable[..., Any]] = {}
        self.seconds: dict[str, float] = {}
        for name in code.names:
            with _named(name, "cannot be loaded"):
                if name in code.installed:
                    kind, templates = _installed_class(name, code.installed[name])
                    self.templates |= templates
                else:
                    kind = _own_class(name, code)
                self.plugins[name] = kind(code.files)
            self._add_filters(name)
        self._readers = [
            (name, plugin) for name, plugin in self.plugins.items() if _has(plugin, "article") or _has(plugin, "topics")
        ]

    def _add_filters(self, name: str) -> None:
        with _named(name, "filters"):
            for filter, function in self.plugins[name].filters().items():
                if filter in self.filters:
                    raise PluginError(f"plugin {name!r}: another plugin has a filter {filter!r} too; rename one")
                if not filter.isidentifier():
                    raise PluginError(f"plugin {name!r}: {filter!r} cannot be the name of a filter")
                self.filters[filter] = _with_errors_of(name, filter, function)

    def applied(self, parsed: Parsed, reader: Reader, folder_name: str) -> Parsed:
        """What the plugins make of a content file; the same value if they change nothing.

        If a plugin fails, the article stays as it was.
        """
        article, problems = parsed.value, list[Problem]()
        if not self._readers or not isinstance(article, Article):
            return parsed
        for name, plugin in self._readers:
            path = f"{folder_name}/{article.id}"
            try:
                after: object = plugin.article(article)
                if after is not article:
                    article, wrong = reader.accept(article, after, name)
                    problems += wrong
                if topics := tuple(plugin.topics(article)):
                    after = msgspec.structs.replace(article, topics=(*article.topics, *topics))
                    article, wrong = reader.accept(article, after, name)
                    problems += wrong
            except (Exception, SystemExit) as error:
                what = f"plugin {name!r} failed, so the article stays as it was: {_described(error)}"
                problems.append(Problem(path=path, what=what, hint="correct the plugin", scope="value"))
        if article is parsed.value and not problems:
            return parsed
        return Parsed(article, (*parsed.problems, *problems))

    @property
    def unrestricted(self) -> list[str]:
        """The plugins whose `pages` run at every build that changes something, because they declare no sections."""
        return [name for name, plugin in self.plugins.items() if _has(plugin, "pages") and plugin.sections is None]

    def page_makers(self, has_template: Callable[[str], bool]) -> list[PageMaker]:
        """For each plugin that has pages, what makes them."""
        return [
            PageMaker(name, _sections(name, plugin), functools.partial(self._pages, name), has_template)
            for name, plugin in self.plugins.items()
            if _has(plugin, "pages")
        ]

    def _pages(self, name: str, library: PluginLibrary) -> list[Page]:
        """The pages of a plugin. Raises PluginError."""
        started = time.perf_counter()
        with _named(name, "pages"):
            pages: list[Any] = list(self.plugins[name].pages(library))
            if wrong := [page for page in pages if not isinstance(page, Page)]:
                raise PluginError(f"plugin {name!r}: pages returned {type(wrong[0]).__name__}, not newsgen.Page")
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - started
        return pages

    def check(self, site: Any) -> Iterator[Problem]:
        """What the plugins find wrong with a site. One that fails is a problem itself."""
        for name, plugin in self.plugins.items():
            try:
                for problem in plugin.check(site):
                    msgspec.convert(msgspec.to_builtins(problem), Problem)
                    yield problem
            except (Exception, SystemExit) as error:
                yield Problem(path=f"plugin {name!r}", what=f"check failed: {_described(error)}")


NONE = Plugins(Code())
"""No plugins."""

_loaded = [NONE]


def load(code: Code) -> Plugins:
    """The plugins with this code: those of the last call if it is the same. Raises PluginError."""
    if _loaded[0].digest != code.digest:
        _loaded[0] = Plugins(code)
    return _loaded[0]


def _has(plugin: Plugin, method: str) -> bool:
    return getattr(type(plugin), method) is not getattr(Plugin, method)


def _sections(name: str, plugin: Plugin) -> tuple[tuple[str, str], ...] | None:
    """The axis and key of each section that a plugin declares. Raises PluginError."""
    if plugin.sections is None:
        return None
    found = []
    for section in plugin.sections:
        axis, _, key = str(section).partition(" ")
        if axis not in AXES or not key:
            hint = f"write one of {', '.join(AXES)}, a space, and a key or *"
            raise PluginError(f"plugin {name!r}: sections has {section!r}; {hint}")
        found.append((axis, key))
    return tuple(found)


def _with_errors_of(name: str, filter: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that raises PluginError whatever goes wrong in it."""

    @functools.wraps(function)  # also copies Jinja's mark on a filter that takes the context
    def called(*args: Any, **kwargs: Any) -> Any:
        with _named(name, f"filter {filter!r}"):
            return function(*args, **kwargs)

    return called


@contextlib.contextmanager
def _named(name: str, what: str) -> Iterator[None]:
    """Turns errors of a plugin into a PluginError that names it, and the line in it."""
    try:
        yield
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        path, line = _place(error)
        words = f"plugin {name!r}: {what}: {_words(error)}"
        raise PluginError(Problem(path=path, line=line, what=words) if path else words) from error


def _described(error: BaseException) -> str:
    """An error in one line, with its place in the plugin."""
    path, line = _place(error)
    return f"{_words(error)} ({path}:{line})" if path else _words(error)


def _words(error: BaseException) -> str:
    words = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _place(error: BaseException) -> tuple[str, int]:
    """The file and line of an error, "" if unknown: those of the innermost call in the folder of the plugin's method.

    An installed file is named by the last two parts of its path: a message must not depend on where it is installed.
    """
    import traceback  # imported late: most plugins work

    others = (str(Path(__file__).parent.parent), str(Path(importlib.__file__).parent), "<frozen")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(others)]
    places = [(f.filename, f.lineno) for f in frames if Path(f.filename).parent == Path(frames[0].filename).parent]
    if isinstance(error, SyntaxError):
        places = [(error.filename or "", error.lineno)]
    path, line = places[-1] if places else ("", 0)
    return path if path.startswith(f"{FOLDER}/") else "/".join(Path(path).parts[-2:]), line or 0
