"""The work of `newsgen new`, `newsgen template`, `newsgen schema` and `newsgen clean`."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import available_timezones

import msgspec

from newsgen import canonical, config, files, platforms, text, times
from newsgen.builder import DEMO, Options, Output, folders
from newsgen.commands import settings
from newsgen.config import Config
from newsgen.content import AboutFile, ArticleFile, FeedFile, dump
from newsgen.errors import ConfigError, OutputError, Problem, unreadable
from newsgen.pages import ListJson
from newsgen.validation import did_you_mean

STATE = ".newsgen"
_GITIGNORE = """\
# Made by newsgen: the built site, and its caches and preview.
/public/
/.newsgen/
"""


def check_new(folder: Path) -> None:
    """Raises ConfigError unless a folder is missing, empty or a new Git repository."""
    try:
        if folder.exists() and (not folder.is_dir() or any(entry.name != ".git" for entry in folder.iterdir())):
            raise ConfigError(f"{folder}: already exists and is not empty; choose another folder")
    except OSError as error:
        raise ConfigError(unreadable(str(folder), error)) from None


def check_setting(folder: Path, name: str, value: Any) -> Any:
    """A setting of a new site as its site.toml can hold it. Raises ConfigError if it is not valid."""
    if name == "title":
        value = _name(value, "title")
    try:
        config.load(folder / "site.toml", **{name: value})
    except ConfigError as error:
        faults = ("; ".join(filter(None, (p.what, p.hint))) for p in error.problems if isinstance(p, Problem))
        raise ConfigError(*(f"--{name.replace('_', '-')}: {fault}" for fault in faults)) from None
    return value


def machine_defaults() -> dict[str, str]:
    """The language and time zone of this machine, as far as it says them in a form that a site can have."""
    tag = re.match(r"([a-z]{2,3})_[A-Z]{2}\b", os.environ.get("LC_ALL") or os.environ.get("LANG") or "")
    zone = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return {"language": tag[1] if tag else "en", "timezone": zone if zone in available_timezones() else "UTC"}


def site(folder: Path, chosen: Mapping[str, Any], *, demo: bool = False) -> list[Path]:
    """Creates a site in a folder that is missing or empty: a site.toml with the `chosen` settings and all others as
    comments, and with `demo` the demonstration content and its settings.

    The folder may be a new Git repository. Returns the created files. Templates and static files stay in the package
    until the site overrides them.
    """
    check_new(folder)
    shipped = files.shipped_site()
    created = [folder / ".gitignore", folder / "site.toml"]
    try:
        given = tomllib.loads((shipped / "site.toml").read_text(encoding="utf-8")) if demo else {}
        (folder / "content").mkdir(parents=True)
        created[0].write_text(_GITIGNORE, encoding="utf-8")
        created[1].write_text(settings.text(given | dict(chosen)), encoding="utf-8")
        for part in ("content", f"static/{DEMO}") if demo else ():
            for source in sorted((shipped / part).rglob("*")):
                if source.is_file():
                    target = folder / source.relative_to(shipped)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
                    created.append(target)
    except OSError as error:
        raise OutputError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return created


def article(folder: Path, title: str, url: str = "", when: date | None = None, *, draft: bool = True) -> Path:
    """Creates an article file, named after its day in the site's zone and its title.

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
    else:
        values["author"] = ""
    values |= {"category": "", "topics": []} | ({"draft": True} if draft else {})
    year, month, day = f"{when.year:04}", f"{when.month:02}", f"{when.day:02}"
    name = f"{year}-{month}-{day}-{text.slug(title)}.md"
    body = "" if url or not draft else "Write the article here."
    return _create(folder, Path("content", year, month, name), values, body)


def topic(folder: Path, name: str) -> Path:
    """Creates the file about a topic."""
    name = _name(name, "name")
    return _create(folder, Path("content", "_topics", f"{text.slug(name)}.md"), {"name": name, "description": ""})


def page(folder: Path, title: str, *, navigation: bool = False) -> Path:
    """Creates a plain page."""
    title = _name(title, "title")
    values = {"title": title, "description": "", "navigation": navigation}
    return _create(folder, Path("content", "_pages", f"{text.slug(title)}.md"), values, "Write the page here.")


def story(folder: Path, name: str) -> Path:
    """Creates the file about a story: its title, summary and lead, in an editor's words."""
    name = _name(name, "name")
    values = {"title": name, "summary": "", "lead": ""}
    return _create(folder, Path("content", "_stories", f"{text.slug(name)}.md"), values)


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


def _create(folder: Path, name: Path, values: dict[str, Any], body: str = "") -> Path:
    """Creates a file as a whole, or not at all."""
    path = folder / name
    try:
        exists = os.path.lexists(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None
    if exists:
        raise ConfigError(f"{path}: already exists")
    files.write(path, dump(values, body))
    return path


class ShippedFile(NamedTuple):
    """A template or static file that a site can replace. `state` is what the site has in its place.

    `name` is the path in a site: templates/base.html, static/css/site.css.
    """

    name: str
    source: Path
    state: Literal["", "same", "other"]


def shipped_files(folder: Path) -> dict[str, ShippedFile]:
    """The templates and static files that the site in a folder can replace, by name."""
    shipped, found = files.shipped_site(), dict[str, ShippedFile]()
    for kind in ("templates", "static"):
        for source in sorted((shipped / kind).rglob("*")):
            name = source.relative_to(shipped).as_posix()
            if not source.is_file() or name.startswith(f"static/{DEMO}"):
                continue
            try:
                own = (folder / name).read_bytes() if os.path.lexists(folder / name) else None
            except OSError as error:
                raise ConfigError(unreadable(name, error)) from None
            state: Literal["", "same", "other"] = "" if own is None else "other"
            found[name] = ShippedFile(name, source, "same" if own == source.read_bytes() else state)
    return found


def shipped_file(folder: Path, name: str) -> ShippedFile:
    """The template or static file with a name, of which the first folder may be missing."""
    known = shipped_files(folder)
    given = Path(name).as_posix().removeprefix("newsgen/")
    for candidate in (given, f"templates/{given}", f"static/{given}"):
        if candidate in known:
            return known[candidate]
    short = {each.partition("/")[2]: each for each in known}
    hint = did_you_mean(given, [*known, *short]) or "`newsgen template` lists all"
    raise ConfigError(f"there is no template or static file {name!r}; {hint}")


def override(folder: Path, file: ShippedFile, *, force: bool = False) -> Path:
    """Copies a shipped file into a site, to be changed there. An own file that differs stays, unless with `force`."""
    path = folder / file.name
    if file.state == "other" and not force:
        raise ConfigError(
            f"{path}: already exists and differs from the shipped file; see --diff, or replace it: --force"
        )
    if file.state != "same":
        files.write(path, file.source.read_bytes())
    return path


def difference(folder: Path, file: ShippedFile) -> list[str]:
    """The lines of a unified diff from a shipped file to the site's own."""
    own = (folder / file.name).read_text("utf-8", "replace") if file.state else ""
    shipped = file.source.read_text("utf-8", "replace")
    names = f"newsgen/{file.name}", file.name
    return [*difflib.unified_diff(shipped.splitlines(), own.splitlines(), *names, lineterm="")] if file.state else []


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
