"""The commands that take feeds in: fetch, new feed and import opml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsgen.commands.console import (
    CANNOT_FINISH,
    CONTENT_ERRORS,
    ProgressLine,
    plural,
    print_message,
    print_output,
    print_problems,
)
from newsgen.commands.creating import new
from newsgen.commands.parameters import FOLDER, Time, handle_errors, site_and_content

if TYPE_CHECKING:
    from newsgen.fetch import FeedReport

_site = click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@site_and_content
@click.option("--dry-run", is_flag=True, help="Print what would be written; write nothing.")
@click.option("--force", is_flag=True, help="Request feeds that are not due, and read what did not change.")
@click.option("--since", type=Time(), metavar="TIME", help="Take entries from this time on, whatever max_age says.")
@click.option("--adopt", is_flag=True, help="Take what publishers changed in articles that were edited here.")
@click.option("--strict", is_flag=True, help="End with exit code 1 if any feed failed.")
@click.option("--now", type=Time(), metavar="TIME", help="The time of the fetch.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@handle_errors
def fetch(names: tuple[str, ...], strict: bool, as_json: bool, **params: Any) -> None:
    """Turn what is new in feeds into article files.

    Requests the feeds in content/_feeds that are due, or those that you NAME. Files that were edited or deleted stay
    as they are.
    """
    from newsgen import fetch as fetching

    options = fetching.FetchOptions(names=names, **params)
    with ProgressLine() as progress:

        def on_feed(feed: FeedReport, done: int, total: int) -> None:
            if not as_json:
                clear = "\r\x1b[K" if progress and sys.stdout.isatty() else ""
                click.echo(clear + fetching.feed_line(feed))
            if progress:
                progress("fetching", done, total)

        report = fetching.fetch(options, on_feed)
    print_problems(report.problems, ())
    folder = (options.content or Path("content")).name
    hint = "its front matter is too unusual to adopt the change" if options.adopt else "take the change with --adopt"
    for feed in report.feeds:
        for id in feed.changed:
            print_message(f"{folder}/{id}: was edited here, and changed by its publisher; {hint}")
    if report.deleted:
        files = plural(report.deleted, "article file")
        print_message(f"{files} deleted since the last fetch will not come back; {folder}/_feeds/NAME.gone lists them")
    for note in report.notes:
        print_message(note)
    if as_json:
        print_output(report)
    elif not report.feeds and not report.problems:
        click.echo("there are no feeds; create one with `newsgen new feed URL`")
    else:
        click.echo(fetching.summary(report, dry_run=options.dry_run))
    if report.nothing_done:
        sys.exit(CANNOT_FINISH)
    sys.exit(CONTENT_ERRORS if strict and (report.failed or report.problems) else 0)


@click.command()
@site_and_content
@click.option("--dry-run", is_flag=True, help="Print how many pictures would be requested; request none.")
@click.option("--force", is_flag=True, help="Request again what failed before, whether it is due or not.")
@click.option("--strict", is_flag=True, help="End with exit code 1 if any picture failed.")
@click.option("--now", type=Time(), metavar="TIME", help="The time of the fetch.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@handle_errors
def images(strict: bool, as_json: bool, **params: Any) -> None:
    """Fetch the pictures of publishers that the site shows.

    They go into content/_images, and the next build publishes them with the site if `images.show` is "cached". Pictures
    that are there already are not requested.
    """
    from newsgen import fetch as fetching

    options = fetching.ImageOptions(**params)
    with ProgressLine() as progress:
        report = fetching.fetch_images(options, progress and (lambda done, total: progress("fetching", done, total)))
    for url, reason in report.failures.items():
        print_message(f"{url}: {reason}")
    if as_json:
        print_output(report)
    else:
        done = "to request" if options.dry_run else "requested"
        parts = [f"{plural(report.requests, 'picture')} {done}"]
        if not options.dry_run:
            parts.append(f"{report.added:,} added ({report.bytes / 1e6:.1f} MB)")
        parts += [f"{len(report.failures):,} failed"] if report.failures else []
        parts += [f"{report.waiting:,} not due"] if report.waiting else []
        click.echo(", ".join(parts))
    if report.nothing_done:
        sys.exit(CANNOT_FINISH)
    sys.exit(CONTENT_ERRORS if strict and report.failures else 0)


@new.command(name="feed")
@click.argument("url")
@_site
@handle_errors
def new_feed(url: str, site: Path) -> None:
    """Create the file about a feed.

    URL is that of the feed, or of a page that announces it.
    """
    from newsgen import fetch as fetching

    created = fetching.subscribe(site, url)
    click.echo(created.path)
    print_message(f"{created.title or created.url}: {plural(created.entries, 'entry')}; next: newsgen fetch")
    for other in created.others:
        print_message(f"the page also announces {other}")


@click.group(name="import")
def import_() -> None:
    """Import feeds from other programs."""


@import_.command(name="opml")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_site
@click.option(
    "--outlines",
    type=click.Choice(["topics", "category", "none"]),
    default="topics",
    show_default=True,
    help="What the outlines around a feed become for its articles.",
)
@handle_errors
def opml(file: Path, site: Path, outlines: Any) -> None:
    """Create a file for each feed in an OPML file.

    Feeds that have a file already are left alone.
    """
    from newsgen import fetch as fetching

    imported = fetching.import_opml(site, file, outlines)
    for path in imported.created:
        click.echo(path)
    for written in imported.unusable:
        print_message(f"warning: {written!r} is not a web address", fg="yellow")
    known = f", {len(imported.known):,} known already" if imported.known else ""
    print_message(f"{plural(len(imported.created), 'feed')} imported{known}")
