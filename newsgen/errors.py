"""What can go wrong: problems are values about content, errors are the end of a run.

NewsgenError            newsgen cannot go on
├── ConfigError         site.toml or an option makes no sense
├── TemplateError       a template cannot be found, parsed or filled
├── OutputError         the output folder cannot be read or written
└── PublishError        the built site cannot be brought to its target, or must not
"""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in one file the site's people wrote; it never stops the other files.

    `path` is as the user would name it, `line` 1-based or 0 where no line is to blame, `field` a dotted path
    such as `related[2].images[0].width`.
    """

    path: str
    line: int = 0
    field: str = ""
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        field = f" {self.field}:" if self.field else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}:{field} {self.what}{hint}"


class NewsgenError(Exception):
    """The run cannot finish. `problems` says why, a line each."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Superseded(Exception):  # noqa: N818 (nothing is wrong)
    """A build is given up in the middle, as another one will begin."""


class ConfigError(NewsgenError):
    """The configuration or an option makes no sense."""


class TemplateError(NewsgenError):
    """A template cannot be found, parsed or filled."""


class OutputError(NewsgenError):
    """The output folder cannot be read or written."""


class PublishError(NewsgenError):
    """The built site cannot be brought to its target, or must not."""
