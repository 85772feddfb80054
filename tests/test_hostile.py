"""Hostile content: it must not run on the site, leave the output folder or stop the build."""

import gzip
import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sites import Site

Make = Callable[..., Site]
BASE = '-- site.toml --\nbase_url = "https://news.example/"\n'


OWN_SCRIPT = re.compile(r"/(sub/)?js/\w+\.[0-9a-f]{8}\.js").fullmatch
FORM = re.compile(r'<form class="seek" role="search" action="/search/">.*?</form>', re.DOTALL)
"""The search of newsgen's own theme, on each page once."""

RISKY = ("iframe", "object", "embed", "form", "base", "style", "svg", "math", "script")


class UnsafeMarkup(HTMLParser):
    """Collects markup that a browser would run, or load or follow from an unsafe address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_own = {
            "svg": values.get("role") == "img",  # a timeline or trend
            "script": values.get("type") == "application/ld+json" or OWN_SCRIPT(values.get("src") or ""),
        }
        if tag in RISKY and not is_own.get(tag):
            self.found.append(f"<{tag}>")
        if (
            tag == "meta"
            and (values.get("http-equiv") or "").lower() == "refresh"
            and not (values.get("content") or "").startswith("0; url=/")
        ):
            self.found.append(str(values))
        for name, value in attrs:
            if name.startswith("on") or name == "style" or name == "srcdoc":
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action", "cite") and not re.match(
                r"https?://|mailto:|tel:|//[\w.-]+|/(?!/)|#|[^:\\\\]*$", value or ""
            ):
                self.found.append(f"{tag} {name}={value!r}")


def assert_harmless(site: Site) -> None:
    for path, data in site.tree().items():
        text = data.decode("utf-8")
        if path.endswith(".html"):
            unsafe = UnsafeMarkup()
            unsafe.feed(FORM.sub("", text, count=1))
            assert not unsafe.found, (path, unsafe.found[:3])
            for block in re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL):
                json.loads(block)
        elif path.endswith((".xml", ".opml")):
            ElementTree.fromstring(text)
        elif path.endswith((".json", ".webmanifest")):
            json.loads(text)


def article(text: str) -> bytes:
    """An article with the text in every field that can hold it."""
    values = {
        "title": text + " T", "excerpt": text, "publishedDateTime": "2026-11-08T10:00:00Z", "webUrl": "https://a.example/" + str(hash(text) % 10**9),
        "provider": {"name": text + " P", "domain": "a.example"}, "topics": [text + " t"], "category": text + " c", "type": text, "extra key": text,
        "images": [{"url": "https://a.example/i.png", "title": text, "attribution": text}], "featuredContent": text, "story": text,
        "related": [{"title": text + " R", "excerpt": text, "webUrl": "https://b.example/1", "provider": {"name": text}, "type": text}],
    }  # fmt: skip
    # JSON front matter can hold any text unchanged.
    return f"{json.dumps(values, indent=1)}\n\n{text}\n".encode("utf-8", "replace")


def test_every_xss_payload_in_every_field_is_harmless(site: Make, data: Path) -> None:
    payloads = (
        gzip.decompress((data / "data/suites/xss-payload-list.txt.gz").read_bytes())
        .decode("utf-8", "replace")
        .splitlines()
    )
    s = site(BASE)
    for number in range(0, len(payloads), 12):
        s.write(f"content/p{number}.md", article("\n".join(payloads[number : number + 12])))
    report = s.build()
    assert report.published > 100
    assert_harmless(s)


def test_naughty_strings_are_published_or_reported_as_problems(site: Make, data: Path) -> None:
    strings = json.loads(gzip.decompress((data / "data/suites/blns.json.gz").read_bytes()))
    s = site(BASE)
    for number, text in enumerate(strings):
        s.write(f"content/n{number}.md", article(text))
    report = s.build()
    assert report.published + len({p.path for p in report.problems}) == len(strings)
    assert report.published > 0.95 * len(strings)
    assert_harmless(s)


def test_typical_payloads_are_harmless(site: Make) -> None:
    s = site(BASE)
    for number, text in enumerate(
        (
            '"><script>alert(1)</script>',
            "'\"><img src=x onerror=alert(1)>",
            "</title></script><script>alert(1)</script><!--",
            "javascript:alert(1)",
            "{{ 7 * 7 }}{% raw %}",
            "]]><x>&nbsp;&#0;",
            "../../../etc/passwd",
            "a\u0000b\u2028c\ufeffd\u202ee",
            "[x](javascript:alert(1)) <a href='JaVaScRiPt:alert(1)'>y</a>",
            "<iframe src='https://www.youtube.com/embed/x' onload='alert(1)'></iframe>",
        )
    ):
        s.write(f"content/w{number}.md", article(text))
    report = s.build()
    assert report.published + len({p.path for p in report.problems}) == 10
    assert report.published >= 9
    assert_harmless(s)
    assert "{{ 7 * 7 }}" in s.read("index.html")


def test_file_and_topic_names_cannot_leave_the_output_folder(site: Make, tmp_path: Path) -> None:
    s = site(BASE)
    s.write("content/..md", "---\ntitle: Dots\ndate: 2026-01-01\n---\n").write(
        "content/CON.md", "---\ntitle: Device\ndate: 2026-01-01\n---\n"
    )
    s.article(
        "a",
        topics="['../../../../x', '..', '/', '%2e%2e', 'con', '.']",
        category="../..",
        provider='{name: "../..", domain: "..%2f.example"}',
    )
    s.article("b", topics="['../../../../x', '..', '/', '%2e%2e', 'con', '.']", category="../..")
    s.build()
    assert {p.name for p in tmp_path.iterdir()} == {"site"}
    assert {p.name for p in s.root.iterdir()} == {".newsgen", "content", "public", "site.toml"}
    assert not [p for p in s.tree() if ".." in p.split("/")]


def test_unsafe_provider_domains_are_refused(site: Make) -> None:
    s = site()
    for number, domain in enumerate(("..", "../x", "a\\\\b", "a b", "\\u202e.example", "%2e%2e")):
        s.article(f"a{number}", provider=f'{{domain: "{domain}"}}')
    report = s.build()
    assert len(report.problems) == 6


def test_a_story_of_2000_members_can_be_built(site: Make) -> None:
    rows = "related:\n" + "".join(f'  - title: "R{n}"\n    webUrl: "https://r{n}.example/{n}"\n' for n in range(2_000))
    s = site(BASE).article("a", topics="[" + ", ".join(f"T{n}" for n in range(8)) + "]", more=rows)
    report = s.good()
    assert report.coverage == 2_000
    assert_harmless(s)


@pytest.mark.skipif(os.name == "nt", reason="Windows does not allow such names")
def test_all_static_files_whose_names_cannot_be_addresses_are_reported(site: Make) -> None:
    s = site().article("a").write("static/back\\slash.txt", "x").write("static/a/line\nbreak.txt", "x")
    with suppress(OSError):  # on file systems that accept only Unicode names
        os.close(os.open(os.fsencode(s.root) + b"/static/\xff.txt", os.O_CREAT | os.O_WRONLY))
    done = s.run("build")
    assert done.returncode == 3
    assert "static/back\\\\slash.txt: file name contains a backslash, control character or invalid UTF-8" in done.stderr
    assert "static/a/line\\nbreak.txt: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (s.root / "public").exists()
