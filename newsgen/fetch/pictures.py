"""Fetches the pictures of publishers that a site shows into `content/_images`, from where a build takes them.

A picture that was fetched is not requested again. One that cannot be fetched stays on its publisher's server.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import msgspec

from newsgen import config, files, times
from newsgen.builder import FOLDER, Loaded, Options, load
from newsgen.errors import ConfigError, OutputError
from newsgen.fetch import schedule
from newsgen.fetch.fetcher import content_folder, lock
from newsgen.fetch.network.client import PICTURES, Client, Failure, Request, Result
from newsgen.library import file_key
from newsgen.pictures import UnusableError, medium
from newsgen.text import IMAGES_FOLDER

STATE = "images.state"

_EVERY = 3600
"""The least seconds between the first attempt and the second. The time doubles with each failure; see `schedule`."""


class ImageOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `newsgen images`. With `force`, what failed before is requested whether it is due or not."""

    site: Path = Path()
    content: Path | None = None
    dry_run: bool = False
    force: bool = False
    now: date | None = None


class ImageReport(msgspec.Struct, kw_only=True):
    """What was fetched. `wanted` pictures were missing; `waiting` of these failed before and are not due yet.

    `failures` says why others failed, by URL.
    """

    wanted: int = 0
    waiting: int = 0
    requests: int = 0
    added: int = 0
    bytes: int = 0
    failures: dict[str, str] = {}
    notes: list[str] = []
    seconds: float = 0.0

    @property
    def nothing_done(self) -> bool:
        """Whether every request failed."""
        return self.requests > 0 and len(self.failures) == self.requests


class _Failed(msgspec.Struct, array_like=True, frozen=True):
    """A picture that could not be fetched: how often, and when it is due again. `gone`: never."""

    failures: int
    due: datetime
    gone: bool = False


OnPicture = Callable[[int, int], None]
"""Called with the number of pictures done and the total."""


def fetch_images(
    options: ImageOptions, on_picture: OnPicture | None = None, make_client: Callable[..., Client] = Client
) -> ImageReport:
    """Fetches the pictures that are not there yet. One that fails does not stop the others.

    Raises ConfigError if the site does not show fetched pictures, OutputError if files cannot be written, and
    FetchError if another fetch of the site runs or the lock cannot be written.
    """
    started = time.perf_counter()
    settings = config.load(options.site / "site.toml")
    if settings.images.show != "cached":
        raise ConfigError('this site does not show fetched pictures; set `show = "cached"` in [images] of site.toml')
    now = datetime.now(UTC) if options.now is None else times.start(options.now, settings.zone)
    content = content_folder(options.site, options.content)
    report = ImageReport()
    with lock(options.site) if not options.dry_run else contextlib.nullcontext():
        place = options.site / FOLDER / STATE
        failed = _state(place)
        wanted = _wanted(options)
        report.wanted = len(wanted)
        requests = {id: Request(url=url) for id, url in wanted.items() if options.force or _is_due(failed.get(id), now)}
        report.waiting = len(wanted) - len(requests)
        if options.dry_run:
            report.requests = len(requests)
            return report
        failed = {id: record for id, record in failed.items() if id in wanted}
        try:
            with make_client(base_url=settings.base_url, allow=settings.fetch.allow, accept=PICTURES) as client:
                for id, result in client.get_all(requests):
                    report.requests += 1
                    reason = _taken(content, id, result, report)
                    if reason:
                        report.failures[wanted[id]] = reason
                        failed[id] = _after(failed.get(id), id, result, now)
                    else:
                        failed.pop(id, None)
                    if on_picture:
                        on_picture(report.requests, len(requests))
        finally:
            with contextlib.suppress(OutputError):  # without it, the next run only makes more requests
                files.write(place, msgspec.msgpack.encode(failed))
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _wanted(options: ImageOptions) -> dict[str, str]:
    """The URL of each picture that the site shows but does not have, by id without ending, newest article first."""
    loaded = load(Options(site=options.site, content=options.content, now=options.now))
    loaded.release()
    found = files.scan(options.content or options.site / "content").attachments
    have = set(map(file_key, found.ids))
    dated: dict[str, tuple[datetime, str]] = {}
    for id, url, published in _named(loaded, have):
        dated[id] = max((published, url), dated.get(id, (published, url)))
    return {id: url for id, (_, url) in sorted(dated.items(), key=lambda item: (item[1][0], item[0]), reverse=True)}


def _named(loaded: Loaded, have: set[str]) -> Iterator[tuple[str, str, datetime]]:
    """The id, URL and time of the pictures of what is shown, without those that are there."""
    library = loaded.library
    prefix = f"{IMAGES_FOLDER}/"
    for abouts in library.about.values():
        for about in abouts.values():
            yield from (
                (file.id, file.link, library.now)
                for file in about.files
                if file.id.startswith(prefix) and file.id not in have and file.link.startswith("http")
            )
    for name, _ in library.mentions("file"):
        if not name.startswith(prefix) or name in have:
            continue
        shown = next((id for id in library.naming([name]) if library.row(id)), "")
        if shown:
            article = library.article(shown)
            url = next(file.link for file in article.files if file.id == name)
            if url.startswith("http"):
                yield name, url, article.published


def _is_due(record: _Failed | None, now: datetime) -> bool:
    return record is None or (not record.gone and schedule.is_due(record.due, now))


def _taken(content: Path, id: str, result: Result, report: ImageReport) -> str:
    """Writes a picture. Returns why it cannot be used, "" if it can."""
    if isinstance(result, Failure):
        return result.reason
    try:
        # An SVG of a publisher is a document with its own scripts: only pictures made of pixels are taken.
        found = medium(result.body, ".png")
    except UnusableError as error:
        return f"the answer {error.what}"
    files.write(content / f"{id}.{found.suffix}", result.body)
    report.added += 1
    report.bytes += len(result.body)
    return ""


def _after(before: _Failed | None, id: str, result: Result, now: datetime) -> _Failed:
    failures = (before.failures if before else 0) + 1
    later = partial(schedule.after_failure, now, name=id, failures=failures, every=_EVERY)
    if isinstance(result, Failure):
        return _Failed(failures, later(retry_after=result.retry_after), gone=result.gone or result.status == 404)
    return _Failed(failures, later())


def _state(place: Path) -> dict[str, _Failed]:
    try:
        return msgspec.msgpack.decode(place.read_bytes(), type=dict[str, _Failed])
    except (OSError, msgspec.MsgspecError):
        return {}
