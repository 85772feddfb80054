"""The command line: all commands, and the exit code of each."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import click

from newsgen.commands.building import build, clean, serve
from newsgen.commands.console import CANNOT_FINISH, print_failure, print_message
from newsgen.commands.creating import new, schema, template, translate
from newsgen.commands.fetching import fetch, images, import_
from newsgen.commands.inspecting import check, digest, explain, list_
from newsgen.commands.publishing import diff, publish


def main() -> None:
    """Runs a command and ends the process.

    Exit codes: 0 done, 1 the content has errors, 2 wrong usage, 3 could not finish.
    """
    _use_utf8()
    code: object = CANNOT_FINISH
    try:
        try:
            code = cli(prog_name="newsgen", standalone_mode=False)
        except SystemExit as exit:
            code = exit.code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
            if "--json" in sys.argv:
                print_failure("usage", error.exit_code, [error.format_message()])
        except click.Abort:
            print_message("interrupted")
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = CANNOT_FINISH
    # Ends at once: the interpreter would first free a large site object by object.
    os._exit(code if isinstance(code, int) else 0)


def _use_utf8() -> None:
    """Starts again in Python's UTF-8 mode if the locale has another encoding: names of files may need any letter.

    What the terminal cannot show is then printed as an escape, such as `\\xfc`.
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="newsgen", message="newsgen %(version)s")
def cli() -> None:
    """Turn a folder of article files into a news site.

    Articles about one event are grouped into a story with all its sources. To start, run `newsgen new site FOLDER`,
    then `newsgen serve --site FOLDER`.
    """


for command in (
    build,
    serve,
    check,
    list_,
    explain,
    digest,
    publish,
    diff,
    fetch,
    images,
    new,
    import_,
    template,
    translate,
    schema,
    clean,
):
    cli.add_command(command)
