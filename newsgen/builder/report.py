"""The report of a build."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec

from newsgen.errors import Problem


class Report(msgspec.Struct, kw_only=True):
    """The result of a build. Commands print it as JSON.

    `skipped` counts articles by closed gate; `folded` of the held ones are followers. `rendered`, `written` and
    `pruned` are paths of output files. `due` is when the next gate opens or closes, which changes the site without an
    edit, and `timezone` the site's. `seconds` are by step.
    """

    articles: int = 0
    published: int = 0
    coverage: int = 0
    stories: int = 0
    skipped: dict[str, int] = {}
    folded: int = 0
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[str] = []
    pages: int = 0
    rendered: list[str] = []
    written: list[str] = []
    pruned: list[str] = []
    due: datetime | None = None
    timezone: str = "UTC"
    output: str = ""
    seconds: dict[str, float] = {}


class Stopwatch:
    """Measures the steps of a build."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Seconds since the last call, or since the start, to the millisecond."""
        now = time.perf_counter()
        self._last, elapsed = now, now - self._last
        return round(elapsed, 3)
