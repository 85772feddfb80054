"""The themes in docs/look.md: they are short, and sites can be built with them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sites import Site

ROOT = Path(__file__).parent.parent
LOOK = (ROOT / "docs/look.md").read_text(encoding="utf-8")


def theme(name: str) -> dict[str, str]:
    """The files of a theme in the documentation, by path."""
    section = LOOK.split(f"\n### {name}\n")[1].split("\n### ")[0]
    return dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", section, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("name", ["A dense list of links", "A magazine"])
def test_the_themes_build(site: Callable[..., Site], name: str) -> None:
    files = theme(name)
    assert {"site.toml", "templates/base.html", "templates/pages/home.html"} < files.keys()
    assert sum(text.count("\n") for text in files.values()) < 100
    s = site()
    shutil.copytree(ROOT / "content", s.root / "content", dirs_exist_ok=True)
    shutil.copytree(ROOT / "static/demo", s.root / "static/demo")
    for path, text in files.items():
        s.write(path, text)
    report = s.build()
    assert not report.problems
    assert not report.warnings
    home = s.read("index.html")
    (own,) = [path for path in files if path.endswith(".css")]
    assert re.search(own.removeprefix("static").replace(".css", r"\.\w{8}\.css"), home)
    assert "The bridge swung open for its first ship" in home
    assert site(name="empty").write("templates/pages/home.html", files["templates/pages/home.html"]).build().pages
