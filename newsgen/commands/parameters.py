"""Options that several commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsgen.commands.console import CANNOT_FINISH, print_failure, print_message

if TYPE_CHECKING:
    from newsgen.builder import Options

Command = Callable[..., Any]


def handle_errors(command: Command) -> Command:
    """Decorates a command: an error that ends the run prints a message and sets the exit code, without a traceback.

    With `--json`, the error is printed as an object, too.
    """

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from newsgen.errors import ConfigError, NewsgenError

        try:
            return command(*args, **kwargs)
        except NewsgenError as error:
            for problem in error.problems:
                print_message(f"error: {problem}", fg="red")
            code = 2 if isinstance(error, ConfigError) else CANNOT_FINISH
            if kwargs.get("as_json"):
                print_failure(type(error).__name__, code, error.problems)
            sys.exit(code)
        except (KeyboardInterrupt, click.Abort):
            print_message("interrupted")
            if kwargs.get("as_json"):
                print_failure("interrupted", CANNOT_FINISH, ["interrupted"])
            sys.exit(CANNOT_FINISH)

    return run


class Time(click.ParamType[Any]):
    """A day or time, in the types of `newsgen.times`; or one of the `keywords`, as it is."""

    name = "time"

    def __init__(self, *keywords: str) -> None:
        self.keywords = keywords

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from newsgen import times

        if not isinstance(value, str) or value in self.keywords:
            return value
        try:
            return times.parse(value)
        except ValueError as error:
            keywords = "".join(f"{k} or " for k in self.keywords)
            self.fail(
                f"{value!r} {error}; write {keywords}a day or time such as 2026-11-08 or 2026-11-08T16:30:00Z",
                param,
                ctx,
            )


FOLDER = click.Path(file_okay=False, path_type=Path)
_GATE_BY_FLAG = {"unpublished": "held", "drafts": "draft", "future": "future", "expired": "expired"}


def combine(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator that applies several, in the order in which `--help` shows them."""
    return lambda command: functools.reduce(lambda c, d: d(c), reversed(decorators), command)


site_and_content = combine(
    click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]"),
    click.option("--content", type=FOLDER, help="The folder of article files.  [default: SITE/content]"),
)
site_and_output = combine(
    site_and_content,
    click.option("--output", type=FOLDER, help="The output folder.  [default: SITE/public]"),
)
clock_options = combine(
    click.option("--clock", type=Time("content", "wall"), default="content", metavar="content|wall|TIME",
                 help="What counts as today: the newest article's day, the machine's clock, or a given time.  [default: content]"),
    click.option("--now", type=Time(), metavar="TIME", help="The time that decides what is future or expired.  [default: now]"),
)  # fmt: skip
gate_options = combine(
    click.option("--unpublished", is_flag=True, help="Include held articles (published: false)."),
    click.option("--drafts", is_flag=True, help="Include drafts."),
    click.option("--future", is_flag=True, help="Include articles dated in the future."),
    click.option("--expired", is_flag=True, help="Include articles whose expiryDate has passed."),
    click.option("--all", "everything", is_flag=True, help="Include all of these."),
    clock_options,
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="The number of processes that read and render.  [default: one per processor]",
)


def make_options(site: Path, content: Path | None, output: Path | None, **rest: Any) -> Options:
    """The builder's options from the parameters of a command."""
    from newsgen.builder import Options

    show = frozenset(gate for flag, gate in _GATE_BY_FLAG.items() if rest.pop(flag, False))
    if rest.pop("everything", False):
        show = frozenset(_GATE_BY_FLAG.values())
    return Options(site=site, content=content, output=output, show=show, **rest)
