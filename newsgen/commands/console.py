"""Output of commands: results go to stdout; progress, notes and errors go to stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from newsgen.builder import Options, Report

OUTPUT_VERSION = 1
"""The version of all outputs with `--json`; see `outputs`."""

CONTENT_ERRORS = 1
CANNOT_FINISH = 3
"""Exit codes."""


def plural(count: int, noun: str, rest: str = "") -> str:
    """A count with its noun in the singular or plural, and the `rest` of the phrase: 1 story, 2 links to coverage."""
    if count != 1:
        noun = noun.removesuffix("y") + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun} {rest}".rstrip()


def next_minute(moment: datetime, timezone: str) -> str:
    """The first full minute at or after a time, in a time zone: 2026-11-08 16:30+01:00."""
    from datetime import timedelta
    from zoneinfo import ZoneInfo

    from newsgen import times

    rest = timedelta(seconds=moment.second, microseconds=moment.microsecond)
    with contextlib.suppress(OverflowError):  # the last minute of the calendar
        moment += -rest % timedelta(minutes=1)
    return times.text(moment, ZoneInfo(timezone))


class ProgressLine:
    """One line on a terminal that shows how far a long run is. Prints nothing if stderr is not a terminal.

    `with ProgressLine() as progress` gives the function to pass on as `newsgen.builder.Progress`, or None.
    """

    def __init__(self) -> None:
        self._enabled = sys.stderr.isatty()
        self._last = ""

    def __enter__(self) -> Any:
        return self._update if self._enabled else None

    def _update(self, step: str, done: int, total: int) -> None:
        self._last = f"{step} {done:,}" + (f" of {total:,}" if total else "")
        click.echo(f"\r\x1b[K{self._last}", err=True, nl=False)

    def __exit__(self, *_: object) -> None:
        if self._last:
            click.echo("\r\x1b[K", err=True, nl=False)


def print_problems(problems: Iterable[object], warnings: Iterable[object]) -> None:
    """Prints warnings, then errors, one per line."""
    for warning in warnings:
        print_message(f"warning: {warning}", fg="yellow")
    for problem in problems:
        print_message(f"error: {problem}", fg="red")


def print_message(message: str, **style: Any) -> None:
    """Prints one line to stderr, in the given style if that is a terminal."""
    click.secho(message, err=True, **style)


def print_notes(report: Report, options: Options) -> None:
    """Prints the notes of a report. If there are no articles, also prints which folder with some is not read."""
    for note in report.notes:
        print_message(note)
    if not report.articles and not report.problems:
        from newsgen import files

        content = options.content or options.site / "content"
        if name := files.unread(content):
            why = "because names that begin with _ are not"
            print_message(f"{content.name}/{name} is not read, {why}; rename it, or build it with --content")


def print_json(value: object) -> None:
    """Prints a value to stdout as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def print_output(value: object) -> None:
    """Prints what `--json` asks for: the fields of a value, one of those in `outputs`, and the version of the contract."""
    import msgspec

    encoded = msgspec.json.encode(value)
    data = b'{"version":%d,%b' % (OUTPUT_VERSION, encoded[1:])
    click.echo(msgspec.json.format(data).decode())


def print_failure(kind: str, exit_code: int, problems: Iterable[object]) -> None:
    """Prints the object that takes the place of an output if the command could not finish."""
    from newsgen.errors import Problem

    found = [p if isinstance(p, Problem) else Problem(path="", what=str(p)) for p in problems]
    print_output({"error": {"kind": kind, "exit_code": exit_code, "problems": found}})
