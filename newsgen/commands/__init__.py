"""Words on a command line become calls, and results become text: the only room that prints and exits.

To read: `cli` has all commands, from `building`, `inspecting`, `publishing` and `creating`; `parameters` and `console`
are what these share. `check`, `listing`, `explain` and `scaffold` do the work of the commands of those names. Each
command imports what it needs when it runs.
"""

from newsgen.commands.cli import main

__all__ = ["main"]
