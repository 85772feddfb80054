"""Runs the command line: `python -m newsgen`."""

from newsgen.commands import main

main()
