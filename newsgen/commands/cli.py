"""The command line: every command, and how each ends."""

from __future__ import annotations

import os
import sys

import click

from newsgen.commands.building import build, clean, serve
from newsgen.commands.console import CANNOT_FINISH
from newsgen.commands.creating import new, schema
from newsgen.commands.inspecting import check, explain, list_
from newsgen.commands.publishing import diff, publish


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


for command in (build, serve, check, list_, explain, publish, diff, new, schema, clean):
    cli.add_command(command)
