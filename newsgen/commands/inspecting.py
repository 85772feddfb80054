"""The commands that look at a site and change nothing: check, list and explain."""

from __future__ import annotations

import sys
from typing import Any

import click

from newsgen.commands.console import CONTENT_ERRORS, ProgressLine, print_json, say, say_problems
from newsgen.commands.parameters import gates, options_of, reports_errors, site_and_output


@click.command()
@site_and_output
@gates
@click.option("--external", is_flag=True, help="Also ask the network whether the publishers' addresses still answer.")
@click.option("--json", "as_json", is_flag=True, help="Report on stdout as JSON.")
@reports_errors
def check(external: bool, as_json: bool, **chosen: Any) -> None:
    """Read everything and report what is wrong, links included; write nothing."""
    from newsgen.commands.check import check as run

    with ProgressLine() as progress:
        report = run(options_of(**chosen), progress, external=external)
    say_problems(report.problems, report.warnings)
    for note in report.notes:
        say(note)
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{report.articles:,} articles and {report.links:,} links checked: {len(report.problems):,} errors, {len(report.warnings):,} warnings"
        )
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@click.command(name="list")
@click.argument("what", type=click.Choice(["held", "drafts", "future", "expired", "stories", "topics", "providers"]))
@site_and_output
@gates
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@reports_errors
def list_(what: str, as_json: bool, **chosen: Any) -> None:
    """List what is kept back, or what there is."""
    from newsgen.commands import listing

    with ProgressLine() as progress:
        rows, problems = listing.rows(what, options_of(**chosen), progress)
    say_problems(problems, ())
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            click.echo("\t".join(listing.columns(row)))
    sys.exit(CONTENT_ERRORS if problems else 0)


@click.command()
@click.argument("target", metavar="STORY|ARTICLE")
@site_and_output
@gates
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@reports_errors
def explain(target: str, as_json: bool, **chosen: Any) -> None:
    """Say why a story is what it is, or an article where it is.

    The target is an address of the site, a file below the content folder, a file's name, or a publisher's URL.
    """
    from newsgen.commands.explain import explain as run
    from newsgen.commands.explain import lines

    with ProgressLine() as progress:
        said = run(target, options_of(**chosen), progress)
    if as_json:
        print_json(said)
    else:
        click.echo("\n".join(lines(said)))
