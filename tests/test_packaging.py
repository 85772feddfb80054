"""The wheel is complete: installed elsewhere, it creates and builds a site. The Python interface loads on first use."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import newsgen

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # Builds the wheel from the sdist, so that the tests cover both.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_contains_templates_static_files_and_demonstration_content(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "templates/base.html",
        "static/css/site.css",
        "site.toml",
        "content/_pages/about.md",
        "static/demo/harbour.svg",
        "docs/configuration.md",
    ):
        assert f"newsgen/starter/{name}" in names
    assert "newsgen/py.typed" in names
    assert not [n for n in names if n.startswith(("tests/", "content/", "templates/"))]


def test_the_installed_wheel_creates_a_site_and_builds_it(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False)
    site_packages = next((environment / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    # The dependencies come from this environment; newsgen itself must come from the wheel.
    (site_packages / "borrowed.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")) + "\n")
    python = environment / "bin/python"
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def newsgen(*args: str) -> str:
        done = subprocess.run(
            [str(python), "-m", "newsgen", *args], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = subprocess.run(
        [str(python), "-c", "import newsgen; print(newsgen.__file__)"],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(environment))
    newsgen("new", "site", "mine")
    assert not (tmp_path / "mine/templates").exists()
    assert "stories" in newsgen("build", "--site", "mine")
    assert (tmp_path / "mine/public/index.html").exists()
    assert list((tmp_path / "mine/public/css").glob("site.*.css"))


def test_the_python_interface_is_imported_on_first_use() -> None:
    code = """
import sys
import newsgen
assert not [name for name in sys.modules if name.startswith("newsgen.")]
from newsgen import Options, build, load
assert build is sys.modules["newsgen.builder"].build
from newsgen import *
assert not hasattr(newsgen, "nonsense")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_python_interface_reads_and_builds_a_site(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content/2026-11-08-a.md").write_text("---\ntitle: A\n---\nText.\n", encoding="utf-8")
    options = newsgen.Options(site=tmp_path)
    assert [article.title for article in newsgen.load(options).articles()] == ["A"]
    assert not (tmp_path / "public").exists()
    assert newsgen.build(options).published == 1
    assert (tmp_path / "public/2026/11/08/a/index.html").exists()
