"""The commands that create files and catalogues, and schema, which describes these files."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from newsgen.commands.console import plural, print_json, print_message
from newsgen.commands.parameters import FOLDER, Time, handle_errors


@click.group()
def new() -> None:
    """Create a site, or a file of one."""


@new.command(name="site")
@click.argument("folder", type=FOLDER)
@click.option("--title", help="The name of the site.  [default: News]")
@click.option("--language", metavar="TAG", help="The language of the site's own words, such as de.  [default: en]")
@click.option("--timezone", metavar="NAME", help="The site's time zone, such as Europe/Berlin.  [default: UTC]")
@click.option("--base-url", metavar="URL", help="The site's address. Feeds need it; you can set it later.")
@click.option("--demo", is_flag=True, help="Create the demonstration site instead, with its articles.")
@click.option("--empty", is_flag=True, hidden=True)  # what is the default now
@handle_errors
def new_site(folder: Path, demo: bool, empty: bool, **settings: str | None) -> None:
    """Create a site in FOLDER.

    On a terminal, asks for the settings that no option gives. FOLDER must be missing or empty.
    """
    from newsgen.commands import scaffold

    if demo and empty:
        raise click.UsageError("--demo and --empty exclude each other")
    scaffold.check_new(folder)
    chosen = {name: scaffold.check_setting(folder, name, value) for name, value in settings.items() if value}
    if not demo and sys.stdin.isatty() and sys.stdout.isatty():
        chosen |= _asked(folder, [name for name, value in settings.items() if value is None])
    created = scaffold.site(folder, chosen, demo=demo)
    place = shlex.quote(str(folder))
    click.echo(f"{plural(len(created), 'file')} created in {folder}\nnext: newsgen serve --site {place}")
    if not demo:
        click.echo(f'then: newsgen new article "My first article" --publish --site {place}')


_QUESTIONS = {
    "title": "Title of the site",
    "language": "Language, such as en or de",
    "timezone": "Time zone, such as Europe/Berlin",
    "base_url": "Address, such as https://news.example/ (leave it empty if there is none yet)",
}


def _asked(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The settings with these names, as the user of a terminal answers."""
    from newsgen.commands import scaffold
    from newsgen.errors import ConfigError

    def answer(name: str, written: str) -> Any:
        try:
            return scaffold.check_setting(folder, name, written)
        except ConfigError as error:
            raise click.UsageError(str(error.problems[0]).partition(": ")[2] or str(error)) from None

    defaults = {"title": "News", "base_url": ""} | scaffold.machine_defaults()
    answers = {
        name: click.prompt(
            _QUESTIONS[name],
            default=defaults[name],
            show_default=bool(defaults[name]),
            value_proc=partial(answer, name),
        )
        for name in names
    }
    return {name: value for name, value in answers.items() if value}


@new.command(name="article")
@click.argument("title")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--url", default="", help="The article's URL at its publisher; leave it out for an own post.")
@click.option("--date", type=Time(), metavar="TIME", help="The time of publication.  [default: now]")
@click.option("--publish", is_flag=True, help="Create it ready for publication, not as a draft.")
@handle_errors
def new_article(title: str, site: Path, url: str, date: Any, publish: bool) -> None:
    """Create an article file, as a draft.

    With --publish, the next build has it.
    """
    from newsgen.commands import scaffold

    click.echo(scaffold.article(site, title, url, date, draft=not publish))
    if not publish:
        print_message("it is a draft: remove `draft: true` to publish it; `newsgen serve --drafts` shows it before")


@new.command(name="topic")
@click.argument("name")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def new_topic(name: str, site: Path) -> None:
    """Create the file about a topic."""
    from newsgen.commands import scaffold

    click.echo(scaffold.topic(site, name))


@new.command(name="page")
@click.argument("title")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--navigation", is_flag=True, help="Put the page into the navigation, not into the footer.")
@handle_errors
def new_page(title: str, site: Path, navigation: bool) -> None:
    """Create a plain page, such as an imprint."""
    from newsgen.commands import scaffold

    click.echo(scaffold.page(site, title, navigation=navigation))


@new.command(name="story")
@click.argument("name")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def new_story(name: str, site: Path) -> None:
    """Create the file about a story.

    Articles with the field `story: NAME` belong to it. The file gives the story a title, a summary and a lead.
    """
    from newsgen.commands import scaffold

    click.echo(scaffold.story(site, name))


@new.command(name="provider")
@click.argument("domain")
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@handle_errors
def new_provider(domain: str, site: Path) -> None:
    """Create the file about a provider."""
    from newsgen.commands import scaffold

    click.echo(scaffold.provider(site, domain))


@click.command()
@click.argument("name", required=False)
@click.option("--site", type=FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--diff", is_flag=True, help="Print how the site's own file differs from the shipped one.")
@click.option("--force", is_flag=True, help="Replace the site's own file with the shipped one.")
@handle_errors
def template(name: str | None, site: Path, diff: bool, force: bool) -> None:
    """Copy a shipped template to change it.

    NAME is a template or static file, such as pages/article.html or css/site.css. Without NAME, lists all of them, and
    which of them the site has a file of its own for.
    """
    from newsgen.commands import scaffold

    if name is None:
        states = {"": "", "same": "\tyour own, as shipped", "other": "\tyour own"}
        for file in scaffold.shipped_files(site).values():
            click.echo(f"{file.name}{states[file.state]}")
        return
    file = scaffold.shipped_file(site, name)
    if diff:
        for line in scaffold.difference(site, file):
            click.echo(line)
        if file.state != "other":
            print_message(
                f"{file.name} is {'as shipped' if file.state else 'not in the site: pages use the shipped one'}"
            )
    else:
        click.echo(scaffold.override(site, file, force=force))


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
    if not site.is_dir():
        raise ConfigError(f"there is no folder '{site}'; name the folder of a site")
    written = builder.translate(site, language)
    missing = f"{written.missing} of them not translated" if written.missing else "all translated"
    click.echo(f"{plural(written.messages, 'phrase')} in {written.file}, {missing}")


@click.command()
@click.argument("what", type=click.Choice(["article", "site", "topic", "provider", "feed", "api", "output"]))
@handle_errors
def schema(what: str) -> None:
    """Print the JSON Schema of a kind of file.

    Editors use it to complete and check site.toml and front matter. The schema `api` is that of lists as JSON,
    and `output` that of what commands print with --json.
    """
    if what == "output":
        from newsgen.commands import outputs

        print_json(outputs.schema())
        return
    from newsgen.commands import scaffold

    print_json(scaffold.schema(what))
