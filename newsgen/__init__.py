"""newsgen turns a folder of article files into a news site.

A build is one pipeline: files → articles → library → pages → files. The code has a room for each step:

- `content` parses the files into articles. `frontmatter` reads YAML, TOML and JSON; `fields` checks every value.
- `stories` clusters articles about one event into stories and ranks them.
- `library` arranges articles and stories by topic, provider, category and day, and says what an update changed.
- `pages` turns the library into pages, as values. After an update it plans only those that this can reach.
- `builder` runs the build: it renders the stale pages through Jinja templates and writes them. It caches every step.

Four more rooms are around a build: `fetch` turns feeds into files for it, `publish` uploads it, `preview` rebuilds it
on every edit, and `commands` runs the command line. All rooms share the types in `model`, `plugin`, `canonical`,
`platforms`, `idn`, `text`, `phrases`, `times`, `pictures`, `validation` and `errors`, a site's look in `brands` and
`colours` and its `policies` and `needs`, the site's settings, addresses, files, links and topics in `config`, `urls`,
`files`, `links` and `topics`, and `store`, which keeps values between builds.

Rooms import downwards only, so read from the bottom up: `model` and the other shared modules, then `content`,
`stories`, `library`, `pages` and `builder`. The docstring of a room's `__init__.py` lists its modules in reading order.

From Python, `build` builds a site and `load` reads one without writing anything; both take `Options`. A plugin is a class
derived from `Plugin`, and its pages are `Page` values. docs/plugins.md describes both.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from newsgen.builder import Loaded, Options, Report, build, load
    from newsgen.errors import NewsgenError, Problem
    from newsgen.library import Library
    from newsgen.model import Article
    from newsgen.pages import PluginLibrary
    from newsgen.plugin import Page, Plugin

__all__ = [
    "Article",
    "Library",
    "Loaded",
    "NewsgenError",
    "Options",
    "Page",
    "Plugin",
    "PluginLibrary",
    "Problem",
    "Report",
    "__version__",
    "build",
    "load",
]

if not TYPE_CHECKING:
    _ROOMS = {
        "Article": "model",
        "Library": "library",
        "NewsgenError": "errors",
        "Page": "plugin",
        "Plugin": "plugin",
        "PluginLibrary": "pages",
        "Problem": "errors",
    }

    def __getattr__(name: str) -> object:
        """Imports the library interface on first use (PEP 562): `import newsgen` alone loads no other module."""
        if name in __all__:
            from importlib import import_module

            return getattr(import_module(f"newsgen.{_ROOMS.get(name, 'builder')}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
