"""The commands that create files and catalogues, and schema, which describes these files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from newsgen.commands.console import plural, print_json
from newsgen.commands.parameters import FOLDER, Time, handle_errors


@click.group()
def new() -> None:
    """Create a site, article, topic, provider or feed."""


@new.command(name="site")
@click.argument("folder", type=FOLDER)
@click.option("--empty", is_flag=True, help="Leave out the demonstration content.")
@handle_errors
def new_site(folder: Path, empty: bool) -> None:
    """Create a site in FOLDER.

    The site has demonstration content, which you can delete. FOLDER must be missing or empty.
    """
    from newsgen.commands import scaffold

    created = scaffold.site(folder, empty=empty)
    click.echo(f"{plural(len(created), 'file')} created in {folder}\nnext: newsgen serve --site {folder}")


@new.command(name="article")
@click.argument("title")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--url", default="", help="The article's URL at its publisher; leave it out for an own post.")
@click.option("--date", type=Time(), metavar="TIME", help="The time of publication.  [default: now]")
@handle_errors
def new_article(title: str, site: Path, url: str, date: Any) -> None:
    """Create an article file, as a draft."""
    from newsgen.commands import scaffold

    click.echo(scaffold.article(site, title, url, date))


@new.command(name="topic")
@click.argument("name")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def new_topic(name: str, site: Path) -> None:
    """Create the file about a topic."""
    from newsgen.commands import scaffold

    click.echo(scaffold.topic(site, name))


@new.command(name="provider")
@click.argument("domain")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def new_provider(domain: str, site: Path) -> None:
    """Create the file about a provider."""
    from newsgen.commands import scaffold

    click.echo(scaffold.provider(site, domain))


@click.command()
@click.argument("language")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def translate(language: str, site: Path) -> None:
    """Write the words of pages into a catalogue to fill in.

    LANGUAGE is a tag such as `de` or `pt-BR`. The catalogue is SITE/locale/LANGUAGE.po. Translations in it are kept.
    """
    import re

    from newsgen import builder
    from newsgen.errors import ConfigError
    from newsgen.text import LANGUAGE

    if not re.fullmatch(LANGUAGE, language):
        raise ConfigError(f"{language!r} is not a language; write a tag such as de or pt-BR")
    written = builder.translate(site, language)
    missing = f"{written.missing} of them not translated" if written.missing else "all translated"
    click.echo(f"{plural(written.messages, 'phrase')} in {written.file}, {missing}")


@click.command()
@click.argument("what", type=click.Choice(["article", "site", "topic", "provider", "feed", "api"]))
@handle_errors
def schema(what: str) -> None:
    """Print the JSON Schema of a kind of file.

    Editors use it to complete and check site.toml and front matter. The schema `api` is that of lists as JSON.
    """
    from newsgen.commands import scaffold

    print_json(scaffold.schema(what))
