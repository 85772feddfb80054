"""The benchmark still measures: its sites build with a page for each article, and every row has its figures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsgen.builder import Options, build

BENCH = Path(__file__).parent / "bench"


def test_the_site_of_the_benchmark_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    import gen_corpus

    shutil.copytree(BENCH / "newsgen", tmp_path / "site")
    gen_corpus.write(tmp_path / "site/content/articles", 40, "apart")
    report = build(Options(site=tmp_path / "site"))
    assert report.problems == []
    assert len(list((tmp_path / "site/public/articles").glob("*/index.html"))) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="counts opened files and memory as Linux reports them")
def test_every_update_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [
        sys.executable,
        str(BENCH / "run.py"),
        "--growth",
        "60",
        "--rounds",
        "1",
        "--profile",
        "--json",
        str(out),
    ]
    run = subprocess.run(
        [*command, "--before", str(Path(sys.executable).with_name("newsgen"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "targets met" in run.stdout, run.stderr
    assert "newsgen/builder/pipeline.py" in run.stdout or "imports" in run.stdout
    rows = {row["row"]: row for row in json.loads(out.read_text())["rows"]}
    assert rows["cold"]["MB to cluster"] >= 0
    assert rows["nothing changed"]["written"] == 0
    for update in ("one title changed", "one new article", "one body edited"):
        assert "beyond" in rows[update]
        assert 0 < rows[update]["written"] < rows["cold"]["written"]
    assert rows["500 new articles"]["of the CPU before"] > 0
    assert rows["another template"]["articles read"] == 0
    assert rows["another template"]["rendered"] > 500
    assert rows["fetch 500 feeds, build"]["s of fetch"] < rows["fetch 500 feeds, build"]["CPU s"]


def test_opened_files_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)
    import updates

    (tmp_path / "a.md").write_text("a")
    (tmp_path / "b.md").write_text("b")
    with updates.opened(tmp_path) as names:
        (tmp_path / "b.md").read_text()
        (tmp_path / "a.md").stat()
    assert names == {str(tmp_path / "b.md")}
