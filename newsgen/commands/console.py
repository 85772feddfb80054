"""What commands print: results on stdout, progress and problems on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

CONTENT_ERRORS = 1
CANNOT_FINISH = 3
"""Exit codes."""


def counted(count: int, word: str) -> str:
    """A count and its noun: 1 story, 2 stories."""
    if count == 1:
        return f"1 {word}"
    head, _, tail = word.partition(" ")
    plural = head.removesuffix("y") + "ies" if head.endswith("y") else head + "s"
    return f"{count:,} {plural} {tail}".rstrip()


class ProgressLine:
    """A line on a terminal that says how far a long build is; nothing where nobody watches."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = ""

    def __enter__(self) -> Any:
        return self._step if self._shown else None

    def _step(self, what: str, done: int, all: int) -> None:
        self._last = f"{what} {done:,}" + (f" of {all:,}" if all else "")
        click.echo(f"\r\x1b[K{self._last}", err=True, nl=False)

    def __exit__(self, *_: object) -> None:
        if self._last:
            click.echo("\r\x1b[K", err=True, nl=False)


def say_problems(problems: Iterable[object], warnings: Iterable[object]) -> None:
    for warning in warnings:
        say(f"warning: {warning}", fg="yellow")
    for problem in problems:
        say(f"error: {problem}", fg="red")


def say(message: str, **style: Any) -> None:
    click.secho(message, err=True, **style)


def print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
