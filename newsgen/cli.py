"""The command line: the only file that prints and exits. Everything but click is imported when a command needs it."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from newsgen.options import Options

CONTENT_ERRORS = 1
CANNOT_FINISH = 3


def main() -> None:
    """Runs a command. Exit codes: 0 done, 1 the content has errors, 2 wrong usage, 3 could not finish."""
    code: object = CANNOT_FINISH
    try:
        try:
            cli(prog_name="newsgen")
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = CANNOT_FINISH
    # Without taking a large site apart object by object.
    os._exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="newsgen", message="newsgen %(version)s")
def cli() -> None:
    """Turn a folder of article files into a browsable news site, with every story clustered with its coverage."""


Command = Callable[..., Any]


def _finishes(command: Command) -> Command:
    """Ends a command that cannot go on with a message instead of a trace."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from newsgen.errors import ConfigError, NewsgenError

        try:
            return command(*args, **kwargs)
        except NewsgenError as error:
            for problem in error.problems:
                _say(f"error: {problem}", fg="red")
            sys.exit(2 if isinstance(error, ConfigError) else CANNOT_FINISH)
        except KeyboardInterrupt:
            _say("stopped")
            sys.exit(CANNOT_FINISH)

    return run


class _Moment(click.ParamType[Any]):
    name = "time"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from datetime import UTC, datetime

        if not isinstance(value, str) or value in self.words:
            return value
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            words = "".join(f"{w}, " for w in self.words)
            self.fail(f"{value!r} is not {words}a time such as 2026-11-08T16:30:00Z", param, ctx)


_FOLDER = click.Path(file_okay=False, path_type=Path)
_GATES = {"unpublished": "held", "drafts": "draft", "future": "future", "expired": "expired"}


def _options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    return lambda command: functools.reduce(lambda c, d: d(c), reversed(decorators), command)


_source = _options(
    click.option(
        "--site",
        type=_FOLDER,
        default=Path(),
        help="The site's folder: site.toml, content/, templates/, static/.  [default: .]",
    ),
    click.option("--content", type=_FOLDER, help="The folder of article files.  [default: SITE/content]"),
)
_place = _options(
    _source,
    click.option("--output", type=_FOLDER, help="The folder to write to.  [default: SITE/public]"),
)
_when = _options(
    click.option("--clock", type=_Moment("content", "wall"), default="content", metavar="content|wall|TIME",
                 help="When “today” is: at the newest article, by the machine, or at a time.  [default: content]"),
    click.option("--now", type=_Moment(), metavar="TIME", help="The time that decides what is future or expired.  [default: the machine's]"),
)  # fmt: skip
_shown = _options(
    click.option("--unpublished", is_flag=True, help="Show articles that are held (published: false)."),
    click.option("--drafts", is_flag=True, help="Show drafts."),
    click.option("--future", is_flag=True, help="Show articles dated in the future."),
    click.option("--expired", is_flag=True, help="Show articles whose expiryDate has passed."),
    click.option("--all", "everything", is_flag=True, help="Show all of these."),
    _when,
)
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes that read and render.  [default: one a processor]"
)


def _chosen(site: Path, content: Path | None, output: Path | None, **rest: Any) -> Options:
    from newsgen.options import Options

    show = frozenset(gate for flag, gate in _GATES.items() if rest.pop(flag, False))
    if rest.pop("everything", False):
        show = frozenset(_GATES.values())
    return Options(site=site, content=content, output=output, show=show, **rest)


@cli.command()
@_place
@_shown
@_jobs
@click.option("--strict", is_flag=True, help="Write nothing if any file has an error.")
@click.option("--verify", is_flag=True, help="Compare every output file's bytes, not only its size and time.")
@click.option("--json", "as_json", is_flag=True, help="Report on stdout as JSON.")
@click.option("--why", metavar="PATH", help="Build nothing; say why the page at PATH is stale.")
@_finishes
def build(as_json: bool, why: str | None, **chosen: Any) -> None:
    """Build the site."""
    from newsgen import build as work
    from newsgen.options import Memory

    options = _chosen(**chosen)
    if why is not None:
        reasons = work.why(options, why)
        click.echo("\n".join(reasons) if reasons else f"{why}: fresh")
        return
    # To take all of it apart, or to look for cycles in it, takes longer than to build one article.
    memory = Memory(again=False)
    gc.disable()
    with _Progress() as progress:
        report = work.build(options, progress, memory=memory)
    _problems(report.problems, report.warnings)
    if as_json:
        _print_json(report)
    for note in report.notes:
        _say(note)
    if report.due:
        _say(f"the next change that time alone brings is due at {report.due:%Y-%m-%d %H:%M} UTC: build again then")
    if options.strict and report.problems:
        _say("nothing was written (--strict)")
    elif not as_json:
        done = f"{report.pages:,} files in {report.output}: {len(report.written):,} written, {len(report.pruned):,} removed"
        shown = (
            (report.published, "article"),
            (report.stories, "story"),
            (report.coverage, "piece of coverage elsewhere"),
        )
        counts = ", ".join(_number(n, word) for n, word in shown)
        click.echo(f"{counts}\n{done}")
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@cli.command()
@_place
@_shown
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to answer on.  [default: the first free from 8000 on]"
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to answer on; 0.0.0.0 lets the network look on."
)
@click.option("--poll", is_flag=True, help="Look for changes again and again, for network mounts.")
@click.option("--navigate", is_flag=True, help="Take browsers to the page of the file that was edited.")
@click.option("--open", "browse", is_flag=True, help="Open a browser.")
@click.option("--production", is_flag=True, help="Serve what `build` makes, without the preview's script.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes of the first build.  [default: one a processor]")
@_finishes
def serve(
    port: int | None,
    host: str,
    poll: bool,
    navigate: bool,
    browse: bool,
    production: bool,
    jobs: int | None,
    **chosen: Any,
) -> None:
    """Show the site in a browser, and every edit as soon as it is saved.

    Held articles are shown with a badge, but with --production.
    """
    from newsgen import preview
    from newsgen import serve as work

    site, output = chosen["site"], chosen.pop("output")
    folder = output or site / preview.FOLDER
    # Whoever previews a site wants to see what waits to be published; the bar in the page hides it.
    chosen["unpublished"] = chosen["unpublished"] or not production
    options = _chosen(output=folder, jobs=jobs, fingerprints=production, **chosen)

    def ready(address: str, problems: Iterable[object]) -> None:
        _problems(problems, ())
        click.echo(f"{address}\nCtrl+C ends the preview")
        if browse:
            click.launch(address)

    if host in ("0.0.0.0", "::"):  # noqa: S104
        _say("whoever reaches this machine can read the preview, drafts and held articles included", fg="yellow")
    work.serve(options, host=host, port=port, poll=poll, navigate=navigate, live=not production, ready=ready)


@cli.command()
@_place
@_shown
@click.option("--external", is_flag=True, help="Also ask the network whether the publishers' addresses still answer.")
@click.option("--json", "as_json", is_flag=True, help="Report on stdout as JSON.")
@_finishes
def check(external: bool, as_json: bool, **chosen: Any) -> None:
    """Read everything and report what is wrong, links included; write nothing."""
    from newsgen import check as work

    with _Progress() as progress:
        report = work.check(_chosen(**chosen), progress, external=external)
    _problems(report.problems, report.warnings)
    for note in report.notes:
        _say(note)
    if as_json:
        _print_json(report)
    else:
        click.echo(
            f"{report.articles:,} articles and {report.links:,} links checked: {len(report.problems):,} errors, {len(report.warnings):,} warnings"
        )
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@cli.command(name="list")
@click.argument("what", type=click.Choice(["held", "drafts", "future", "expired", "stories", "topics", "providers"]))
@_place
@_shown
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_finishes
def list_(what: str, as_json: bool, **chosen: Any) -> None:
    """List what is kept back, or what there is."""
    from newsgen import listing

    with _Progress() as progress:
        rows, problems = listing.rows(what, _chosen(**chosen), progress)
    _problems(problems, ())
    if as_json:
        _print_json(rows)
    else:
        for row in rows:
            click.echo("\t".join(listing.columns(row)))
    sys.exit(CONTENT_ERRORS if problems else 0)


@cli.command()
@click.argument("target", metavar="STORY|ARTICLE")
@_place
@_shown
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_finishes
def explain(target: str, as_json: bool, **chosen: Any) -> None:
    """Say why a story is what it is, or an article where it is.

    The target is an address of the site, a file below the content folder, a file's name, or a publisher's URL.
    """
    from newsgen import explain as work

    with _Progress() as progress:
        said = work.explain(target, _chosen(**chosen), progress)
    if as_json:
        _print_json(said)
    else:
        click.echo("\n".join(work.lines(said)))


@cli.command()
@click.argument("target", required=False)
@_source
@_when
@_jobs
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
@_finishes
def publish(as_json: bool, changed: Path | None, **chosen: Any) -> None:
    """Build the site afresh and bring it to TARGET: a name from site.toml, or an address.

    \b
    An address is one of:
      ./FOLDER or dir:FOLDER        git:REPOSITORY#BRANCH or gh-pages:REPOSITORY
      ssh://USER@HOST:PORT/PATH     s3://BUCKET/PREFIX or az://CONTAINER/PREFIX
    """
    from newsgen import publish as work
    from newsgen.errors import PublishError
    from newsgen.publish.report import lines

    orders = work.Orders(**{name: chosen.pop(name) for name in work.Orders.__struct_fields__})
    with _Progress() as progress:
        report = work.publish(_chosen(output=None, **chosen), orders, progress)
    refused = bool(report.problems) and not orders.allow_errors
    _problems(report.problems, report.warnings)
    for note in report.notes:
        _say(note)
    if changed and report.done:
        try:
            changed.write_text("".join(f"{address}\n" for address in report.changed), encoding="utf-8")
        except OSError as error:
            raise PublishError(f"{changed}: cannot be written, but the site is there: {error.strerror}") from None
    if as_json:
        _print_json(report)
    elif refused:
        _say("nothing was published: mend the files, or leave them out with --allow-errors")
    else:
        for line in lines(report):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if refused else 0)


@cli.command()
@click.argument("target", required=False)
@_source
@_when
@_jobs
@click.option(
    "--output", type=_FOLDER, help="Compare with this folder where there is no TARGET.  [default: SITE/public]"
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_finishes
def diff(target: str | None, as_json: bool, **chosen: Any) -> None:
    """Say what a publish would change for readers of TARGET, or of the output folder where there is none."""
    from newsgen.publish import diff as work

    with _Progress() as progress:
        found = work.diff(_chosen(**chosen), target, progress)
    _problems(found.problems, ())
    if as_json:
        _print_json(found)
    else:
        for line in work.lines(found):
            click.echo(line)
    sys.exit(CONTENT_ERRORS if found.problems else 0)


@cli.group()
def new() -> None:
    """Begin a site, an article, or the facts about a topic or a provider."""


@new.command(name="site")
@click.argument("folder", type=_FOLDER)
@click.option("--empty", is_flag=True, help="Without the demonstration content.")
@_finishes
def new_site(folder: Path, empty: bool) -> None:
    """Begin a site in FOLDER, with demonstration content to look at and to throw away."""
    from newsgen import scaffold

    made = scaffold.site(folder, empty=empty)
    click.echo(f"{len(made)} files in {folder}\nnext: newsgen build --site {folder}")


@new.command(name="article")
@click.argument("title")
@click.option("--site", type=_FOLDER, default=Path(), help="The site's folder.  [default: .]")
@click.option("--url", default="", help="The publisher's page; none for the site's own post.")
@click.option("--date", type=_Moment(), metavar="TIME", help="When it was published.  [default: now]")
@_finishes
def new_article(title: str, site: Path, url: str, date: Any) -> None:
    """Begin an article file, as a draft."""
    from newsgen import scaffold

    click.echo(scaffold.article(site, title, url, date))


@new.command(name="topic")
@click.argument("name")
@click.option("--site", type=_FOLDER, default=Path(), help="The site's folder.  [default: .]")
@_finishes
def new_topic(name: str, site: Path) -> None:
    """Begin the file with the facts about a topic."""
    from newsgen import scaffold

    click.echo(scaffold.topic(site, name))


@new.command(name="provider")
@click.argument("domain")
@click.option("--site", type=_FOLDER, default=Path(), help="The site's folder.  [default: .]")
@_finishes
def new_provider(domain: str, site: Path) -> None:
    """Begin the file with the facts about a provider."""
    from newsgen import scaffold

    click.echo(scaffold.provider(site, domain))


@cli.command()
@click.argument("what", type=click.Choice(["article", "site", "topic", "provider"]))
@_finishes
def schema(what: str) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from newsgen import scaffold

    _print_json(scaffold.schema(what))


@cli.command()
@_place
@_finishes
def clean(**chosen: Any) -> None:
    """Remove every file that newsgen wrote, and its state; nothing else."""
    from newsgen import scaffold

    click.echo(f"{scaffold.clean(_chosen(**chosen)):,} files removed")


def _number(count: int, word: str) -> str:
    """A count and its noun: 1 story, 2 stories."""
    if count == 1:
        return f"1 {word}"
    head, _, tail = word.partition(" ")
    plural = head.removesuffix("y") + "ies" if head.endswith("y") else head + "s"
    return f"{count:,} {plural} {tail}".rstrip()


class _Progress:
    """A line on a terminal that says how far a long build is; nothing where nobody watches."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = ""

    def __enter__(self) -> Any:
        return self._step if self._shown else None

    def _step(self, what: str, done: int, all: int) -> None:
        self._last = f"{what} {done:,}" + (f" of {all:,}" if all else "")
        click.echo(f"\r\x1b[K{self._last}", err=True, nl=False)

    def __exit__(self, *_: object) -> None:
        if self._last:
            click.echo("\r\x1b[K", err=True, nl=False)


def _problems(problems: Iterable[object], warnings: Iterable[object]) -> None:
    for warning in warnings:
        _say(f"warning: {warning}", fg="yellow")
    for problem in problems:
        _say(f"error: {problem}", fg="red")


def _say(message: str, **style: Any) -> None:
    click.secho(message, err=True, **style)


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
