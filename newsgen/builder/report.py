"""What a build did."""

from __future__ import annotations

import time
from datetime import datetime

import msgspec

from newsgen.errors import Problem


class Report(msgspec.Struct, kw_only=True):
    """What a build did, in numbers; `due` is when time alone would next change the site, `seconds` are by step."""

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
    output: str = ""
    seconds: dict[str, float] = {}


class Stopwatch:
    """Seconds since it was last asked."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        self._last, spent = now, now - self._last
        return round(spent, 3)
