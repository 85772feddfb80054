"""The commands that build a site: build, serve and clean."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import click

from newsgen.commands.console import (
    CONTENT_ERRORS,
    ProgressLine,
    next_minute,
    plural,
    print_message,
    print_notes,
    print_output,
    print_problems,
)
from newsgen.commands.parameters import (
    FOLDER,
    gate_options,
    handle_errors,
    jobs_option,
    make_options,
    site_and_content,
    site_and_output,
)


@click.command()
@site_and_output
@gate_options
@jobs_option
@click.option(
    "--executor",
    metavar="ADDRESS",
    help="Read and render with the workers of a Dask scheduler at tls://HOST:PORT or tcp://localhost:PORT.",
)
@click.option("--strict", is_flag=True, help="Write nothing if any file has an error.")
@click.option("--verify", is_flag=True, help="Compare the bytes of every output file, not only its size and time.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--why", metavar="PATH", help="Print why the page at PATH is stale; build nothing.")
@handle_errors
def build(as_json: bool, why: str | None, executor: str | None, **params: Any) -> None:
    """Build the site.

    Errors in files are reported, and what they concern is left out; the exit code is then 1.
    """
    from newsgen import builder

    if executor and params["jobs"]:
        raise click.UsageError("--executor and --jobs exclude each other")
    options = make_options(**params)
    if why is not None:
        reasons = builder.why(options, why)
        click.echo("\n".join(reasons) if reasons else f"{why}: fresh")
        return
    # The process ends after the build. Collecting cycles or freeing all objects takes longer than to build one article.
    memory = builder.Memory()
    gc.disable()
    workers = builder.RemoteExecutor(executor) if executor else None
    with workers or nullcontext(), ProgressLine() as progress:
        report = builder.build(options, progress, workers, memory)
    if workers and workers.workers:
        print_message(f"built with {workers}")
    print_problems(report.problems, report.warnings)
    if as_json:
        print_output(report)
    print_notes(report, options)
    for name in memory.loaded.plugins.unrestricted if memory.loaded else ():
        took = report.seconds.get(f"plugin {name}", 0)
        print_message(
            f"plugin {name!r} made its pages in {took:,.2f} s; with `sections`, it runs only when these change"
        )
    if report.due:
        print_message(f"build again after {next_minute(report.due, report.timezone)}: a scheduled change is due then")
    if options.strict and report.problems:
        print_message("nothing was written: fix the errors, or build without --strict")
    elif not as_json:
        files = plural(report.pages, "file")
        done = f"{files} in {report.output}: {len(report.written):,} written, {len(report.pruned):,} removed"
        shown = (
            (report.published, "article", ""),
            (report.stories, "story", ""),
            (report.coverage, "link", "to coverage"),
        )
        counts = ", ".join(plural(*count) for count in shown)
        click.echo(f"{counts}\n{done}")
    sys.exit(CONTENT_ERRORS if report.problems else 0)


@click.command()
@site_and_content
@click.option("--output", type=FOLDER, help="The output folder.  [default: SITE/.newsgen/preview]")
@gate_options
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on.  [default: the first free one from 8000]"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; 0.0.0.0 makes the preview reachable from the network.",
)
@click.option("--poll", is_flag=True, help="Poll the files for changes, for network mounts.")
@click.option("--navigate", is_flag=True, help="Take open browsers to the page of the edited file.")
@click.option("--open", "browse", is_flag=True, help="Open the preview in a browser.")
@click.option("--production", is_flag=True, help="Serve exactly what `build` writes, without the preview's script.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="The number of processes of the first build.  [default: one per processor]",
)
@handle_errors
def serve(
    port: int | None,
    host: str,
    poll: bool,
    navigate: bool,
    browse: bool,
    production: bool,
    jobs: int | None,
    **params: Any,
) -> None:
    """Preview the site and update it on every edit.

    Held articles are shown with a badge, except with --production.
    """
    from newsgen import preview

    site, output = params["site"], params.pop("output")
    folder = output or site / preview.FOLDER
    # A preview includes held articles by default; a switch in the page hides them.
    params["unpublished"] = params["unpublished"] or not production
    options = make_options(output=folder, jobs=jobs, fingerprints=production, **params)

    def ready(address: str, problems: Iterable[object], warnings: Iterable[object]) -> None:
        print_problems(problems, warnings)
        click.echo(f"{address}\npress Ctrl+C to stop")
        if browse:
            click.launch(address)

    if host in ("0.0.0.0", "::"):  # noqa: S104
        print_message(
            "warning: anyone who can reach this machine can read the preview, including drafts and held articles",
            fg="yellow",
        )
    preview.serve(options, host=host, port=port, poll=poll, navigate=navigate, live=not production, ready=ready)


@click.command()
@site_and_output
@handle_errors
def clean(**params: Any) -> None:
    """Delete the files that newsgen wrote.

    Deletes the output files that the manifest lists and the cache in SITE/.newsgen. All other files stay.
    """
    from newsgen.commands import scaffold

    click.echo(f"{plural(scaffold.clean(make_options(**params)), 'file')} removed")
