"""Runs the program that `hooks.before_publish` in site.toml names, and checks that it leaves the built files alone."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from newsgen import files
from newsgen.errors import PublishError

VARIABLE = "NEWSGEN_OUTPUT"
"""The environment variable that names the folder of the built site."""


def run_before_publish(command: tuple[str, ...], site: Path, output: Path) -> None:
    """Runs a program, without a shell, in the site's folder. It finds the built site through `VARIABLE`.

    What it prints goes to stderr. Raises PublishError if it cannot run, ends with an exit code other than 0, or has
    added, changed or removed a built file.
    """
    where = f"hooks.before_publish ({shlex.join(command)})"
    before = _stamps(output)
    try:
        done = subprocess.run(  # noqa: S603 (the site's own program, and the user agreed)
            command,
            cwd=site,
            env={**os.environ, VARIABLE: str(output.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=2,  # stdout is for results
            check=False,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PublishError(f"{where} cannot be run: {reason}; nothing was published") from None
    if done.returncode:
        raise PublishError(f"{where} ended with exit code {done.returncode}; nothing was published")
    after = _stamps(output)
    if altered := sorted(path for path in before.keys() | after if before.get(path) != after.get(path)):
        more = f" and {len(altered) - 3:,} more" if len(altered) > 3 else ""
        raise PublishError(
            f"{where} altered built files, so nothing was published: {', '.join(altered[:3])}{more}; change content,"
            " templates or static files instead"
        )


def _stamps(output: Path) -> dict[str, files.Stamp | None]:
    return {Path(path).relative_to(output).as_posix(): stamp for path, stamp in files.walk_files(output)}
