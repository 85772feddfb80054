"""Problems and errors. A Problem is a value that describes a fault in a file; an error ends the run.

NewsgenError            the run cannot continue
├── ConfigError         site.toml or an option is invalid
├── TemplateError       a template cannot be found, parsed or rendered
├── OutputError         a folder cannot be read or written
├── PluginError         a plugin cannot be loaded, or it failed
├── ExecutorError       the workers of --executor cannot be used
├── PublishError        the site cannot, or must not, be published
└── FetchError          feeds cannot be fetched
"""

from __future__ import annotations

import errno
from typing import Literal, TypeAlias

import msgspec

Scope: TypeAlias = Literal["file", "gate", "value", "host"]
"""What a problem cost: a whole file or page, an article that is held because its gate cannot be read, or one value.

With "host" nothing is lost yet, but the host would refuse the site or cut something off.
"""


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One problem in one file of the site. Other files are still processed.

    `path` is the path as the user would write it. `line` counts from 1; 0 means no particular line. `field` is a dotted
    path such as `related[2].images[0].width`. Everything but what `scope` names is used.
    """

    path: str
    line: int = 0
    field: str = ""
    what: str
    hint: str = ""
    scope: Scope = "file"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        field = f" {self.field}:" if self.field else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}:{field} {self.what}{hint}"


def unreadable(path: str, error: OSError) -> Problem:
    """The problem of a file or folder that the system does not read."""
    if error.errno == errno.ELOOP:
        return Problem(path=path, what="the symbolic link leads to itself", hint="remove it or link to something else")
    return Problem(path=path, what=f"cannot be read: {error.strerror}")


class NewsgenError(Exception):
    """The run cannot continue. `problems` are the reasons; each is printed on its own line."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Superseded(Exception):  # noqa: N818 (not an error)
    """The build was cancelled because a newer one is about to start."""


class ConfigError(NewsgenError):
    """The configuration or an option is invalid."""


class TemplateError(NewsgenError):
    """A template cannot be found, parsed or rendered."""


class OutputError(NewsgenError):
    """A folder cannot be read or written."""


class PluginError(NewsgenError):
    """A plugin cannot be loaded, or its `pages` or one of its filters failed."""


class ExecutorError(NewsgenError):
    """The workers of `--executor` cannot be used."""


class PublishError(NewsgenError):
    """The site cannot, or must not, be published."""


class FetchError(NewsgenError):
    """Feeds cannot be fetched."""
