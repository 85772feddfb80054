"""The commands for targets: publish and diff."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from newsgen.commands.console import CONTENT_ERRORS, ProgressLine, print_message, print_output, print_problems
from newsgen.commands.parameters import (
    FOLDER,
    clock_options,
    handle_errors,
    jobs_option,
    make_options,
    site_and_content,
)


@click.command()
@click.argument("target", required=False)
@site_and_content
@clock_options
@jobs_option
@click.option("--dry-run", is_flag=True, help="Print what would be sent and why; send nothing.")
@click.option("--rollback", is_flag=True, help="Go back to the previous release; build nothing.")
@click.option(
    "--allow-errors",
    is_flag=True,
    help="Publish although files are left out, a gate cannot be read or a limit of the host is broken.",
)
@click.option("--allow-lost", is_flag=True, help="Publish even if addresses disappear without a redirect.")
@click.option(
    "--max-delete", type=click.IntRange(0), metavar="N", help="Refuse to delete more than N files.  [default: 256]"
)
@click.option(
    "--changed",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the URLs that changed to FILE, one per line.",
)
@click.option("--hooks", is_flag=True, help="Run the program in hooks.before_publish without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@handle_errors
def publish(as_json: bool, changed: Path | None, hooks: bool, **params: Any) -> None:
    """Build the site and upload it to a target.

    The build is always clean and never includes drafts or held articles. TARGET is a name or an address; leave it
    out if site.toml names only one.

    \b
    An address is one of:
      ./FOLDER or dir:FOLDER        git:REPOSITORY#BRANCH or gh-pages:REPOSITORY
      ssh://USER@HOST:PORT/PATH     s3://BUCKET/PREFIX or az://CONTAINER/PREFIX
    """
    from newsgen import publish as publishing
    from newsgen.errors import PublishError

    names = set(publishing.PublishOptions.__struct_fields__) & params.keys()
    publish_options = publishing.PublishOptions(
        run_hooks=lambda command: hooks or _is_allowed(command), **{name: params.pop(name) for name in names}
    )
    with ProgressLine() as progress:
        report = publishing.publish(make_options(output=None, **params), publish_options, progress)
    print_problems(report.problems, report.warnings)
    for note in report.notes:
        print_message(note)
    if changed and report.done:
        try:
            changed.write_text("".join(f"{address}\n" for address in report.changed), encoding="utf-8")
        except OSError as error:
            raise PublishError(f"{changed}: cannot be written, but the site was published: {error.strerror}") from None
    if as_json:
        print_output(report)
    elif report.refused:
        only_host = all(p.scope in ("value", "host") for p in report.problems)
        what = "keep to the limits of the host, or publish anyway" if only_host else "fix the files, or leave them out"
        print_message(f"nothing was published: {what} with --allow-errors")
    else:
        for line in publishing.report_lines(report):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if report.refused else 0)


def _is_allowed(command: tuple[str, ...]) -> bool:
    """Shows a program on a terminal and asks whether to run it. Without a terminal, the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import shlex

    print_message(f"site.toml runs this program before publishing: {shlex.join(command)}")
    return click.confirm("Run it?", err=True)


@click.command()
@click.argument("target", required=False)
@site_and_content
@clock_options
@jobs_option
@click.option("--output", type=FOLDER, help="The folder to compare with if there is no target.  [default: SITE/public]")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@handle_errors
def diff(target: str | None, as_json: bool, **params: Any) -> None:
    """Show what a publish would change for readers.

    Compares a clean build with the last publish to TARGET, which is a name or an address as for `publish`. Without
    TARGET, compares with the only target in site.toml or, if there are none, with the output folder.
    """
    from newsgen import publish as publishing

    with ProgressLine() as progress:
        difference = publishing.diff(make_options(**params), target, progress)
    print_problems(difference.problems, ())
    if as_json:
        print_output(difference)
    else:
        for line in publishing.comparison_lines(difference):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if difference.problems else 0)
