"""`newsgen digest`: a day's best stories for mail, as HTML, text and a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sites import Site

from newsgen.commands.digest import digest
from newsgen.errors import ConfigError

Make = Callable[..., Site]

HOSTILE = 'AT&T <3 C++ & "quotes" Bcc: x@y.example'


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with 40 articles on the 8th, a story over two days, and one article on the 7th."""
    s = Site(tmp_path_factory.mktemp("paper") / "site")
    s.write(
        "site.toml",
        'title = "Zeitung für\\nLübeck"\nbase_url = "https://post.example/sub/"\ntimezone = "Europe/Berlin"\n',
    )
    for n in range(40):
        s.article(f"n{n:02}", excerpt="Word. " * 80, webUrl=f"https://p{n}.example/{'x' * 200}")
    s.article("a", title=HOSTILE, story="s", quality=99, heat=99, publishedDateTime="2026-11-08T12:00:00Z")
    s.article("b", title="اختبار", story="s", lang="ar", publishedDateTime="2026-11-08T15:30:00Z")
    s.article("own", title="Ours", webUrl=None, body="B.", publishedDateTime="2026-11-07T23:30:00Z", heat=50)
    s.article("old", title="Before", publishedDateTime="2026-11-07T10:00:00Z")
    s.good()
    return s


def test_each_format_has_the_best_of_the_day_with_whole_addresses(paper: Site) -> None:
    before = {path: path.stat().st_mtime_ns for path in paper.root.rglob("*") if ".newsgen" not in path.parts}
    text, html = (digest(paper.options(), None, form).decode() for form in ("txt", "html"))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    story = "https://post.example/sub/2026/11/08/a/"
    for printed in (text, html):
        assert len(printed.encode()) < 100_000
        assert "Sunday 8 November 2026" in printed
        assert story in printed
        assert "2 sources" in printed
        assert "اختبار" in printed
        assert "https://post.example/sub/2026/11/08/own/" in printed
        assert "13:00" in printed
        assert "Before" not in printed
        assert "Word. Word" in printed
    assert HOSTILE in text
    assert html.count("<h2") == 11
    assert "<3" not in html
    assert not re.search(r'(?:href|src)="(?!https://)', html)
    assert not re.search(r"<(?:style|script|link|img|form)\\b", html)
    assert max(map(len, (line for line in text.splitlines() if "https://" not in line))) <= 72
    assert "Before" in digest(paper.options(), date(2026, 11, 7), "txt").decode()


def test_a_message_is_the_same_for_the_same_content(paper: Site) -> None:
    data = digest(paper.options(), None, "eml")
    assert data == digest(paper.options(), None, "eml")
    assert data.isascii()
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert (message["Subject"], message["To"]) == (HOSTILE, "undisclosed-recipients:;")
    assert (message["From"].addresses[0].display_name, message["From"].addresses[0].addr_spec) == (
        "Zeitung für Lübeck",
        "news@post.example",
    )
    assert message["Date"].datetime.isoformat() == "2026-11-08T15:30:00+00:00"
    assert re.fullmatch(r"<2026-11-08\.[0-9a-f]{16}@post\.example>", message["Message-ID"])
    assert "Bcc" not in message
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    for part, form in zip(parts, ("txt", "html"), strict=True):
        assert part.get_content() == digest(paper.options(), None, form).decode()  # type: ignore[arg-type]
    assert max(map(len, data.splitlines())) <= 998
    assert b"=?utf-8?q?f=C3=BCr_L=C3=BCbeck?= <me@list.example>\n" in digest(
        paper.options(), None, "eml", "me@list.example"
    )
    with pytest.raises(ConfigError, match="not a mail address"):
        digest(paper.options(), None, "eml", "me\nBcc: x@y.example")


def test_the_command_prints_bytes_and_says_what_is_missing(paper: Site, site: Make, tmp_path: Path) -> None:
    done = paper.spawn("digest", "2026-11-07", "--now", "2026-11-22")
    assert done.returncode == 0
    assert done.stdout == digest(paper.options(), date(2026, 11, 7), "txt").decode()
    done = paper.run("digest", "2026-11-06", "--format", "eml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was published on 2026-11-06; the newest day is 2026-11-08" in done.stderr
    with pytest.raises(ConfigError, match=r"site\.toml: base_url: not set"):
        digest(site().article("a").options(), None, "txt")
    with pytest.raises(ConfigError, match="there are no articles"):
        digest(site("-- site.toml --\nbase_url = 'https://x.example/'\n", "empty").options(), None, "txt")
