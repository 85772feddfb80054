"""What a build is told, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from newsgen.errors import ConfigError

Progress = Callable[[str, int, int], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a command says beside site.toml. None leaves a choice to the site; `show` are gates of `library.GATES`.

    `clock` is "content", "wall" or an aware time; `now` the time of the wall clock, by default that of the machine.
    `jobs` is how many processes read and render, None as many as there are processors, where there is enough to do.
    `fingerprints` is whether the addresses of style sheets and their like say what is in them: without, an edit of one
    leaves the pages as they are.
    """

    site: Path = Path()
    content: Path | None = None
    output: Path | None = None
    show: frozenset[str] = frozenset()
    clock: str | datetime = "content"
    now: datetime | None = None
    jobs: int | None = None
    strict: bool = False
    verify: bool = False
    fingerprints: bool = True


def folders(options: Options) -> tuple[Path, Path]:
    """The content and the output folder. Raises ConfigError where they would get into each other's way."""
    source = options.content or options.site / "content"
    output = options.output or options.site / "public"
    if not source.is_dir():
        raise ConfigError(
            f"{source}: there is no such folder; name it with --content, or begin with `newsgen new site`"
        )
    inner, outer = source.resolve(), output.resolve()
    guarded = {inner, *(options.site.resolve() / n for n in ("content", "templates", "static"))}
    if any(outer == g or outer in g.parents or (g in outer.parents and g.is_dir()) for g in guarded):
        raise ConfigError(
            f"{output}: the output cannot lie in, or around, what the site is made of; choose another --output"
        )
    if output.exists() and not output.is_dir():
        raise ConfigError(f"{output}: is not a folder; choose another --output")
    return source, output
