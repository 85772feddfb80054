"""The commands that bring a site to its readers: publish and diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from newsgen.commands.console import CONTENT_ERRORS, ProgressLine, print_json, say, say_problems
from newsgen.commands.parameters import FOLDER, jobs, options_of, reports_errors, site_and_content, times


@click.command()
@click.argument("target", required=False)
@site_and_content
@times
@jobs
@click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent, and why.")
@click.option("--rollback", is_flag=True, help="Go back to the release before; build and send nothing.")
@click.option("--allow-errors", is_flag=True, help="Publish although files with errors are left out.")
@click.option("--allow-lost", is_flag=True, help="Publish although addresses vanish that answered before.")
@click.option(
    "--max-delete", type=click.IntRange(0), metavar="N", help="Publish nothing if more files would go.  [default: 256]"
)
@click.option(
    "--changed",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the addresses that changed to FILE, one a line.",
)
@click.option("--json", "as_json", is_flag=True, help="Report on stdout as JSON.")
@reports_errors
def publish(as_json: bool, changed: Path | None, **chosen: Any) -> None:
    """Build the site afresh and bring it to TARGET: a name from site.toml, or an address.

    \b
    An address is one of:
      ./FOLDER or dir:FOLDER        git:REPOSITORY#BRANCH or gh-pages:REPOSITORY
      ssh://USER@HOST:PORT/PATH     s3://BUCKET/PREFIX or az://CONTAINER/PREFIX
    """
    from newsgen import publish as publishing
    from newsgen.errors import PublishError

    orders = publishing.Orders(**{name: chosen.pop(name) for name in publishing.Orders.__struct_fields__})
    with ProgressLine() as progress:
        report = publishing.publish(options_of(output=None, **chosen), orders, progress)
    refused = bool(report.problems) and not orders.allow_errors
    say_problems(report.problems, report.warnings)
    for note in report.notes:
        say(note)
    if changed and report.done:
        try:
            changed.write_text("".join(f"{address}\n" for address in report.changed), encoding="utf-8")
        except OSError as error:
            raise PublishError(f"{changed}: cannot be written, but the site is there: {error.strerror}") from None
    if as_json:
        print_json(report)
    elif refused:
        say("nothing was published: mend the files, or leave them out with --allow-errors")
    else:
        for line in publishing.report_lines(report):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if refused else 0)


@click.command()
@click.argument("target", required=False)
@site_and_content
@times
@jobs
@click.option(
    "--output", type=FOLDER, help="Compare with this folder where there is no TARGET.  [default: SITE/public]"
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@reports_errors
def diff(target: str | None, as_json: bool, **chosen: Any) -> None:
    """Say what a publish would change for readers of TARGET, or of the output folder where there is none."""
    from newsgen import publish as publishing

    with ProgressLine() as progress:
        found = publishing.diff(options_of(**chosen), target, progress)
    say_problems(found.problems, ())
    if as_json:
        print_json(found)
    else:
        for line in publishing.comparison_lines(found):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if found.problems else 0)
