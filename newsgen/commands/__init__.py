"""The command line: the only room that prints and exits.

Reading order: `cli` lists all commands. `building`, `inspecting`, `publishing`, `fetching` and `creating` define them,
with the options of `parameters` and the output functions of `console`. `check`, `listing`, `explain`, `scaffold` and
`settings` do the work of the commands that have no room of their own. `outputs` describes what commands print with
`--json`. Each command imports what it needs when it runs, so `--help` is fast.
"""

from newsgen.commands.cli import main

__all__ = ["main"]
