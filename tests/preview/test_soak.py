"""A minute of `make soak`, and that it notices what it is there to notice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from sites import Site

BENCH = Path(__file__).parents[1] / "bench"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of the server from /proc")


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCH)
    import soak

    return soak


def test_a_preview_of_many_edits_stays_as_small_as_it_was() -> None:
    command = [sys.executable, str(BENCH / "soak.py"), "--articles", "150", "--edits", "120"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def samples(kilobytes: float, files: float) -> tuple[list[float], list[int]]:
    """The memory of a server that grows by so much with each of 3,000 edits, and its open files after each 300."""
    rng = random.Random(1)
    memory = [300 + rng.uniform(-9, 9) + n * kilobytes / 1024 for n in range(3000)]
    return memory, [int(12 + n * files) for n in range(300, 3001, 300)]


@pytest.mark.parametrize(
    ("kilobytes", "files", "what"), [(0, 0, ""), (20, 0, "memory grew by"), (0, 0.002, "open files grew")]
)
def test_growth_is_told_from_noise(soak: ModuleType, kilobytes: float, files: float, what: str) -> None:
    found = list(soak._grown(*samples(kilobytes, files)))
    assert len(found) == bool(what)
    assert all(what in line for line in found)


def test_output_that_differs_from_a_clean_build_is_named(
    soak: ModuleType, site: Callable[..., Site], tmp_path: Path
) -> None:
    s = site("-- static/a.txt --\nA\n")
    s.article("one")
    s.build(output=s.root / ".newsgen/preview", fingerprints=False)
    s.write("templates/x.html", "")
    assert list(soak._different(s.root, tmp_path / "first")) == []
    s.write(".newsgen/preview/a.txt", "B\n").write(".newsgen/preview/more.txt", "")
    (s.root / ".newsgen/preview/index.html").unlink()
    assert list(soak._different(s.root, tmp_path / "second")) == ["a.txt", "index.html", "more.txt"]
