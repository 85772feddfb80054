"""The site that the benchmark compares with Hugo's still builds, with a page for each article."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from newsgen.builder import Options, build

BENCH = Path(__file__).parent / "bench"


def test_the_site_of_the_benchmark_builds(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("gen_corpus", BENCH / "gen_corpus.py")
    assert spec is not None
    assert spec.loader is not None
    corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(corpus)
    shutil.copytree(BENCH / "newsgen", tmp_path / "site")
    corpus.write(tmp_path / "site/content/articles", 40, "apart")
    report = build(Options(site=tmp_path / "site"))
    assert report.problems == []
    assert len(list((tmp_path / "site/public/articles").glob("*/index.html"))) == 40
