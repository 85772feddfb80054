"""The commands that create files: new site, article, topic and provider; and schema, which describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from newsgen.commands.console import print_json
from newsgen.commands.parameters import FOLDER, Moment, reports_errors


@click.group()
def new() -> None:
    """Begin a site, an article, or the facts about a topic or a provider."""


@new.command(name="site")
@click.argument("folder", type=FOLDER)
@click.option("--empty", is_flag=True, help="Without the demonstration content.")
@reports_errors
def new_site(folder: Path, empty: bool) -> None:
    """Begin a site in FOLDER, with demonstration content to look at and to throw away."""
    from newsgen.commands import scaffold

    made = scaffold.site(folder, empty=empty)
    click.echo(f"{len(made)} files in {folder}\nnext: newsgen build --site {folder}")


@new.command(name="article")
@click.argument("title")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--url", default="", help="The publisher's page; none for the site's own post.")
@click.option("--date", type=Moment(), metavar="TIME", help="When it was published.  [default: now]")
@reports_errors
def new_article(title: str, site: Path, url: str, date: Any) -> None:
    """Begin an article file, as a draft."""
    from newsgen.commands import scaffold

    click.echo(scaffold.article(site, title, url, date))


@new.command(name="topic")
@click.argument("name")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@reports_errors
def new_topic(name: str, site: Path) -> None:
    """Begin the file with the facts about a topic."""
    from newsgen.commands import scaffold

    click.echo(scaffold.topic(site, name))


@new.command(name="provider")
@click.argument("domain")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@reports_errors
def new_provider(domain: str, site: Path) -> None:
    """Begin the file with the facts about a provider."""
    from newsgen.commands import scaffold

    click.echo(scaffold.provider(site, domain))


@click.command()
@click.argument("what", type=click.Choice(["article", "site", "topic", "provider"]))
@reports_errors
def schema(what: str) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from newsgen.commands import scaffold

    print_json(scaffold.schema(what))
