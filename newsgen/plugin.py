"""What a plugin is: one class with up to five methods. All of them take values and return values.

docs/plugins.md describes how to write one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from newsgen.errors import Problem
from newsgen.model import Article

if TYPE_CHECKING:
    from newsgen.builder import Loaded
    from newsgen.pages import PluginLibrary


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page that a plugin makes.

    `path` is that of the output file, such as `tours/alps/index.html`. `template` is the name of a template of the site,
    or of a file in the plugin's folder `templates/`, with the plugin's name before it: `bikes/tour.html`. The template
    gets the page as `page`, with `data` as plain values: numbers, text, times, lists, and mappings in the order of their
    keys. `title` and `description` are for HTML pages. One with `noindex` is not for search engines.
    """

    path: str
    template: str
    title: str = ""
    description: str = ""
    data: Any = None
    noindex: bool = False


class Plugin:
    """The base class of plugins.

    The result of a method may depend on its arguments, on the plugin's code and on `files`, and on nothing else: neither
    on the time, nor on other files, nor on earlier calls. Methods run in any order and in several processes.

    `sections` are those whose members `pages` reads, as axis and key: "topic touring", "category *". If none are
    declared, `pages` may read the whole library, and runs at every build that changes something.
    """

    sections: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files` are those in the site's folder `plugins/`, by path: the data that a plugin may read."""
        self.files = files

    def article(self, article: Article) -> Article | None:
        """The article as the site is to have it, or None to leave it out. Called for each file that is read."""
        return article

    def topics(self, article: Article) -> Iterable[str]:  # noqa: ARG002
        """More topics of an article, by name. Called for each file that is read, after `article`."""
        return ()

    def pages(self, library: PluginLibrary) -> Iterable[Page]:  # noqa: ARG002
        """Pages of the plugin's own."""
        return ()

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """Filters for templates, by name."""
        return {}

    def check(self, site: Loaded) -> Iterable[Problem]:  # noqa: ARG002
        """What is wrong with the site. Called by `newsgen check` only."""
        return ()
