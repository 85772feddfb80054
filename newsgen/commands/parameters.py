"""Options that combined commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsgen.commands.console import CANNOT_FINISH, say

if TYPE_CHECKING:
    from newsgen.builder import Options

Command = Callable[..., Any]


def reports_errors(command: Command) -> Command:
    """Ends a command that cannot go on with a message instead of a trace."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from newsgen.errors import ConfigError, NewsgenError

        try:
            return command(*args, **kwargs)
        except NewsgenError as error:
            for problem in error.problems:
                say(f"error: {problem}", fg="red")
            sys.exit(2 if isinstance(error, ConfigError) else CANNOT_FINISH)
        except KeyboardInterrupt:
            say("stopped")
            sys.exit(CANNOT_FINISH)

    return run


class Moment(click.ParamType[Any]):
    name = "time"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from datetime import UTC, datetime

        if not isinstance(value, str) or value in self.words:
            return value
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            words = "".join(f"{w}, " for w in self.words)
            self.fail(f"{value!r} is not {words}a time such as 2026-11-08T16:30:00Z", param, ctx)


FOLDER = click.Path(file_okay=False, path_type=Path)
_GATES = {"unpublished": "held", "drafts": "draft", "future": "future", "expired": "expired"}


def combined(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    return lambda command: functools.reduce(lambda c, d: d(c), reversed(decorators), command)


site_and_content = combined(
    click.option(
        "--site",
        type=FOLDER,
        default=Path(),
        help="The site's folder: site.toml, content/, templates/, static/.  [default: .]",
    ),
    click.option("--content", type=FOLDER, help="The folder of article files.  [default: SITE/content]"),
)
site_and_output = combined(
    site_and_content,
    click.option("--output", type=FOLDER, help="The folder to write to.  [default: SITE/public]"),
)
times = combined(
    click.option("--clock", type=Moment("content", "wall"), default="content", metavar="content|wall|TIME",
                 help="When “today” is: at the newest article, by the machine, or at a time.  [default: content]"),
    click.option("--now", type=Moment(), metavar="TIME", help="The time that decides what is future or expired.  [default: the machine's]"),
)  # fmt: skip
gates = combined(
    click.option("--unpublished", is_flag=True, help="Show articles that are held (published: false)."),
    click.option("--drafts", is_flag=True, help="Show drafts."),
    click.option("--future", is_flag=True, help="Show articles dated in the future."),
    click.option("--expired", is_flag=True, help="Show articles whose expiryDate has passed."),
    click.option("--all", "everything", is_flag=True, help="Show all of these."),
    times,
)
jobs = click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes that read and render.  [default: one a processor]"
)


def options_of(site: Path, content: Path | None, output: Path | None, **rest: Any) -> Options:
    from newsgen.builder import Options

    show = frozenset(gate for flag, gate in _GATES.items() if rest.pop(flag, False))
    if rest.pop("everything", False):
        show = frozenset(_GATES.values())
    return Options(site=site, content=content, output=output, show=show, **rest)
