"""Runs newsgen with an instrument inside: what a profile or the memory of one step needs to know.

    inside.py clustering|profile FILE build --site SITE

`clustering` writes the megabytes that clustering adds to the process into FILE, `profile` cProfile's statistics.
"""

from __future__ import annotations

import cProfile
import os
import resource
import sys
from pathlib import Path
from typing import Any

from newsgen.commands import main
from newsgen.stories import Clusterer


def clustering(file: Path) -> None:
    """The peak within a call, if that is the process's highest so far, else what is left after it. Needs /proc."""
    update = Clusterer.update
    added = [0.0]  # a call whose memory was there before adds nothing, and may give some back

    def measured(*args: Any, **kwargs: Any) -> Any:
        before, peak = _now(), _peak()
        result = update(*args, **kwargs)
        added.append((_peak() if _peak() > peak else _now()) - before)
        file.write_text(f"{max(added):.1f}")
        return result

    Clusterer.update = measured  # type: ignore[method-assign]
    main()


def _now() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def profile(file: Path) -> None:
    """Includes the imports of the command, not those of this script."""
    exit, profiler = os._exit, cProfile.Profile()

    def save_and_exit(code: int) -> None:
        profiler.disable()
        profiler.dump_stats(file)
        exit(code)

    os._exit = save_and_exit  # type: ignore[assignment]  # newsgen ends with it
    profiler.runcall(main)


if __name__ == "__main__":
    {"clustering": clustering, "profile": profile}[sys.argv.pop(1)](Path(sys.argv.pop(1)))
