"""The commands that inspect a site and write nothing: check, list, explain and digest."""

from __future__ import annotations

import sys
from typing import Any

import click

from newsgen.commands.console import (
    CONTENT_ERRORS,
    ProgressLine,
    plural,
    print_notes,
    print_output,
    print_problems,
)
from newsgen.commands.parameters import Time, clock_options, gate_options, handle_errors, make_options, site_and_output


@click.command()
@site_and_output
@gate_options
@click.option("--external", is_flag=True, help="Also request each article's URL from its publisher.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@handle_errors
def check(external: bool, as_json: bool, **params: Any) -> None:
    """Check content, templates and links.

    Reads, plans and renders the whole site and reports every error. Writes nothing.
    """
    from newsgen.commands.check import check as check_site

    options = make_options(**params)
    with ProgressLine() as progress:
        report = check_site(options, progress, external=external)
    print_problems(report.problems, report.warnings)
    print_notes(report, options)
    if as_json:
        print_output(report)
    else:
        click.echo(
            f"{plural(report.articles, 'article')}, {plural(report.pages, 'page')} and "
            f"{plural(report.links, 'link')} checked: "
            f"{plural(len(report.problems), 'error')}, {plural(len(report.warnings), 'warning')}"
        )
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@click.command(name="list")
@click.argument(
    "what",
    type=click.Choice(["articles", "held", "drafts", "future", "expired", "stories", "topics", "providers", "feeds"]),
)
@site_and_output
@gate_options
@click.option("--topic", default="", help="Only articles with this topic.")
@click.option("--provider", default="", metavar="DOMAIN", help="Only articles of this provider.")
@click.option("--category", default="", help="Only articles in this category.")
@click.option("--title", default="", metavar="WORDS", help="Only articles with these words in the title.")
@click.option("--since", type=Time(), metavar="TIME", help="Only articles from this time or day on.")
@click.option("--until", type=Time(), metavar="TIME", help="Only articles up to this time or day.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N articles.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@handle_errors
def list_(what: str, as_json: bool, **params: Any) -> None:
    """List articles, stories, topics, providers or feeds.

    Articles that are not on the site are in the lists held, drafts, future and expired, by the reason.
    """
    from newsgen.commands import listing

    given = {name: value for name in listing.Filters.__struct_fields__ if (value := params.pop(name))}
    if given and what != "articles":
        raise click.UsageError(f"--{next(iter(given))} is for `list articles`")
    with ProgressLine() as progress:
        rows, problems = listing.rows(what, make_options(**params), progress, listing.Filters(**given))
    print_problems(problems, ())
    if as_json:
        print_output({"rows": rows, "problems": problems})
    else:
        for row in rows:
            click.echo("\t".join(listing.cells(row)))
    sys.exit(CONTENT_ERRORS if problems else 0)


@click.command()
@click.argument("target", metavar="STORY|ARTICLE")
@click.argument("other", metavar="[ARTICLE]", default="")
@site_and_output
@gate_options
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@handle_errors
def explain(target: str, other: str, as_json: bool, **params: Any) -> None:
    """Explain why articles are in a story or not.

    Prints the evidence for each member, the reason for the lead, and the near misses; of two articles, why they are or
    are not one story. Name a story or an article by its content file, its file name, its address on the site, its output
    file, or the publisher's URL.
    """
    from newsgen.commands import explain as explaining

    with ProgressLine() as progress:
        if other:
            explanation = explaining.compare(target, other, make_options(**params), progress)
        else:
            explanation = explaining.explain(target, make_options(**params), progress)
    if as_json:
        print_output(explanation)
    else:
        click.echo("\n".join(explaining.pair_lines(explanation) if other else explaining.lines(explanation)))


@click.command()
@click.argument("date", type=Time(), required=False)
@site_and_output
@clock_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "txt", "eml"]),
    default="txt",
    help="What to print: HTML for mail, plain text, or a whole message with both.  [default: txt]",
)
@click.option(
    "--from", "sender", metavar="ADDRESS", default="", help="The sender of a message.  [default: news@ the site's host]"
)
@handle_errors
def digest(date: Any, form: Any, sender: str, **params: Any) -> None:
    """Print a day's best stories, to send by mail.

    DATE is a day such as 2026-11-08; by default it is the newest.
    """
    from newsgen.commands.digest import digest as digest_of

    with ProgressLine() as progress:
        printed = digest_of(make_options(**params), date, form, sender, progress)
    click.echo(printed, nl=False)
