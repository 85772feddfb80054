"""The options of a build, and its progress callback."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from newsgen.errors import ConfigError, unreadable

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, the number of items done and the total."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a build that are not in site.toml.

    `content` and `output` default to folders of the site. `show` lists the gates of `library.GATES` to open. `clock` is
    "content", "wall" or a time. `now` is the wall clock, by default the machine's. Both take the types of `times`; a
    day means its end as `clock` and its first moment as `now`. `jobs` is the number of processes that read and render;
    None means one per processor if there is enough work. With `strict`, a build with problems writes nothing. With
    `verify`, a build compares the bytes of output files, not only their sizes and times. Without `fingerprints`, static
    files keep their names, so editing a style sheet makes no page stale.
    """

    site: Path = Path()
    content: Path | None = None
    output: Path | None = None
    show: frozenset[str] = frozenset()
    clock: str | date = "content"
    now: date | None = None
    jobs: int | None = None
    strict: bool = False
    verify: bool = False
    fingerprints: bool = True


class Clocks(NamedTuple):
    """The times that decide what a build shows, in UTC. `content` is None for the content clock of the library."""

    now: datetime
    content: datetime | None


def clocks(options: Options) -> Clocks:
    """The times that the options name. Reads site.toml only if one of them is in the site's zone."""

    def resolve(when: date, *, end: bool = False) -> datetime:
        from newsgen import config, times

        has_zone = isinstance(when, datetime) and when.tzinfo is not None
        zone = UTC if has_zone else config.load(options.site / "site.toml").zone
        return (times.end if end else times.start)(when, zone)

    now = datetime.now(UTC) if options.now is None else resolve(options.now)
    if isinstance(options.clock, date):
        return Clocks(now, resolve(options.clock, end=True))
    return Clocks(now, now if options.clock == "wall" else None)


def folders(options: Options) -> tuple[Path, Path]:
    """The content and output folders. Raises ConfigError if one does not exist, is not a folder, or they overlap."""
    source = options.content or options.site / "content"
    output = options.output or options.site / "public"
    for folder in (options.site, source, output):
        try:
            folder.stat()
        except OSError as error:
            if error.errno == errno.ELOOP or folder.is_symlink():
                raise ConfigError(unreadable(str(folder), error)) from None
    if not source.is_dir():
        raise ConfigError(
            f"there is no folder '{source}'; create it, name another with --content, or start with `newsgen new site`"
        )
    content, root = source.resolve(), output.resolve()
    for folder in (content, root):
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{str(folder)!r} is not valid UTF-8; rename the folder") from None
    guarded = {content, *(options.site.resolve() / n for n in ("content", "templates", "static"))}
    if any(root == g or root in g.parents or (g in root.parents and g.is_dir()) for g in guarded):
        raise ConfigError(
            f"output folder '{output}' overlaps the site's content, templates or static files; choose another --output"
        )
    if output.exists() and not output.is_dir():
        raise ConfigError(f"'{output}' is not a folder; choose another --output")
    return source, output
