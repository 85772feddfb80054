"""The commands that build a site: build, serve and clean."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from typing import Any

import click

from newsgen.commands.console import CONTENT_ERRORS, ProgressLine, counted, print_json, say, say_problems
from newsgen.commands.parameters import gates, jobs, options_of, reports_errors, site_and_output


@click.command()
@site_and_output
@gates
@jobs
@click.option("--strict", is_flag=True, help="Write nothing if any file has an error.")
@click.option("--verify", is_flag=True, help="Compare every output file's bytes, not only its size and time.")
@click.option("--json", "as_json", is_flag=True, help="Report on stdout as JSON.")
@click.option("--why", metavar="PATH", help="Build nothing; say why the page at PATH is stale.")
@reports_errors
def build(as_json: bool, why: str | None, **chosen: Any) -> None:
    """Build the site."""
    from newsgen import builder

    options = options_of(**chosen)
    if why is not None:
        reasons = builder.why(options, why)
        click.echo("\n".join(reasons) if reasons else f"{why}: fresh")
        return
    # To take all of it apart, or to look for cycles in it, takes longer than to build one article.
    memory = builder.Memory(keep=False)
    gc.disable()
    with ProgressLine() as progress:
        report = builder.build(options, progress, memory=memory)
    say_problems(report.problems, report.warnings)
    if as_json:
        print_json(report)
    for note in report.notes:
        say(note)
    if report.due:
        say(f"the next change that time alone brings is due at {report.due:%Y-%m-%d %H:%M} UTC: build again then")
    if options.strict and report.problems:
        say("nothing was written (--strict)")
    elif not as_json:
        done = f"{report.pages:,} files in {report.output}: {len(report.written):,} written, {len(report.pruned):,} removed"
        shown = (
            (report.published, "article"),
            (report.stories, "story"),
            (report.coverage, "piece of coverage elsewhere"),
        )
        counts = ", ".join(counted(n, word) for n, word in shown)
        click.echo(f"{counts}\n{done}")
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@click.command()
@site_and_output
@gates
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to answer on.  [default: the first free from 8000 on]"
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to answer on; 0.0.0.0 lets the network look on."
)
@click.option("--poll", is_flag=True, help="Snapshot for changes again and again, for network mounts.")
@click.option("--navigate", is_flag=True, help="Take browsers to the page of the file that was edited.")
@click.option("--open", "browse", is_flag=True, help="Open a browser.")
@click.option("--production", is_flag=True, help="Serve what `build` makes, without the preview's script.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes of the first build.  [default: one a processor]")
@reports_errors
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

    site, output = chosen["site"], chosen.pop("output")
    folder = output or site / preview.FOLDER
    # Whoever previews a site wants to see what waits to be published; the bar in the page hides it.
    chosen["unpublished"] = chosen["unpublished"] or not production
    options = options_of(output=folder, jobs=jobs, fingerprints=production, **chosen)

    def ready(address: str, problems: Iterable[object]) -> None:
        say_problems(problems, ())
        click.echo(f"{address}\nCtrl+C ends the preview")
        if browse:
            click.launch(address)

    if host in ("0.0.0.0", "::"):  # noqa: S104
        say("whoever reaches this machine can read the preview, drafts and held articles included", fg="yellow")
    preview.serve(options, host=host, port=port, poll=poll, navigate=navigate, live=not production, ready=ready)


@click.command()
@site_and_output
@reports_errors
def clean(**chosen: Any) -> None:
    """Remove every file that newsgen wrote, and its state; nothing else."""
    from newsgen.commands import scaffold

    click.echo(f"{scaffold.clean(options_of(**chosen)):,} files removed")
