"""The work of `newsgen new`, `newsgen schema` and `newsgen clean`."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from newsgen import canonical, config, files, platforms, text, times
from newsgen.builder import DEMO, Options, Output, folders
from newsgen.config import Config
from newsgen.content import AboutFile, ArticleFile, FeedFile, dump
from newsgen.errors import ConfigError, OutputError, unreadable
from newsgen.pages import ListJson

STATE = ".newsgen"
_CONFIG = """\
title = "News"
description = ""
language = "en"
# The site's address. Feeds, sitemaps and canonical links need it.
# base_url = "https://example.org/"
"""
_GITIGNORE = """\
# Made by newsgen: the built site, and its caches and preview.
/public/
/.newsgen/
"""


def site(folder: Path, *, empty: bool = False) -> list[Path]:
    """Creates a site in a folder that is missing or empty: site.toml and, unless `empty`, the demonstration content.

    The folder may be a new Git repository. Returns the created files. Templates and static files stay in the package
    until the site overrides them.
    """
    try:
        if folder.exists() and (not folder.is_dir() or any(entry.name != ".git" for entry in folder.iterdir())):
            raise ConfigError(f"{folder}: already exists and is not empty; choose another folder")
    except OSError as error:
        raise ConfigError(unreadable(str(folder), error)) from None
    shipped = files.shipped_site()
    created = [folder / ".gitignore"]
    try:
        (folder / "content").mkdir(parents=True)
        created[0].write_text(_GITIGNORE, encoding="utf-8")
        if empty:
            (folder / "site.toml").write_text(_CONFIG, encoding="utf-8")
            return [*created, folder / "site.toml"]
        shutil.copyfile(shipped / "site.toml", folder / "site.toml")
        created.append(folder / "site.toml")
        for part in ("content", f"static/{DEMO}"):
            for source in sorted((shipped / part).rglob("*")):
                if source.is_file():
                    target = folder / source.relative_to(shipped)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
                    created.append(target)
    except OSError as error:
        raise OutputError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return created


def article(folder: Path, title: str, url: str = "", when: date | None = None) -> Path:
    """Creates an article file, as a draft, named after its day in the site's zone and its title.

    `when` has the types of `times`; a day stays a day. By default it is now.
    """
    title = _name(title, "title")
    when = datetime.now(UTC) if when is None else when
    if isinstance(when, datetime):
        zone = config.load(folder / "site.toml").zone
        when = times.local(times.start(when, zone), zone).replace(microsecond=0)
    values: dict[str, Any] = {"title": title, "excerpt": "", "publishedDateTime": when}
    if url:
        if not canonical.key(url):
            raise ConfigError(f"{url!r} is not a web address; write it in full, beginning with https://")
        values |= {"webUrl": url, "provider": {"domain": platforms.of().provider(canonical.key(url))}}
    values |= {"category": "news", "topics": [], "draft": True}
    year, month, day = f"{when.year:04}", f"{when.month:02}", f"{when.day:02}"
    name = f"{year}-{month}-{day}-{text.slug(title)}.md"
    return _create(folder, Path("content", year, month, name), values)


def topic(folder: Path, name: str) -> Path:
    """Creates the file about a topic."""
    name = _name(name, "name")
    return _create(folder, Path("content", "_topics", f"{text.slug(name)}.md"), {"name": name, "description": ""})


def provider(folder: Path, domain: str) -> Path:
    """Creates the file about a provider."""
    key = platforms.of().key(domain)
    if not key:
        raise ConfigError(f'{domain!r} is not a domain; write it as in "example.org"')
    return _create(
        folder,
        Path("content", "_providers", f"{key}.md"),
        {"name": "", "description": "", "home": platforms.of().home(key)},
    )


def _name(given: str, what: str) -> str:
    """A title or name from the command line without what no file can hold, such as half a letter in another encoding."""
    name = " ".join(text.printable(given).split())
    if not name:
        raise ConfigError(f"{given!r} is not a {what}; write at least one letter")
    return name


def _create(folder: Path, name: Path, values: dict[str, Any]) -> Path:
    """Creates a file as a whole, or not at all."""
    path = folder / name
    try:
        exists = os.path.lexists(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
    if exists:
        raise ConfigError(f"{path}: already exists")
    files.write(path, dump(values))
    return path


def schema(what: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a kind of file: article, site, topic, provider, feed or api."""
    kinds: dict[str, type] = {
        "article": ArticleFile,
        "site": Config,
        "topic": AboutFile,
        "provider": AboutFile,
        "feed": FeedFile,
        "api": ListJson,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kinds[what])}


def clean(options: Options) -> int:
    """Deletes the output files and caches that newsgen wrote for a site. Returns the number of output files deleted."""
    _, output = folders(options)
    removed = Output(output).clean()
    shutil.rmtree(options.site / STATE, ignore_errors=True)
    return len(removed)
