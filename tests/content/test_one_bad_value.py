"""One bad value costs that value, and text fields take what the file says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import Site

from newsgen.config import Config
from newsgen.content import AboutFile, ArticleFile, Parsed, frontmatter, pack, unpack
from newsgen.content.reader import Reader
from newsgen.content.source import Source
from newsgen.model import About, Article

Make = Callable[..., Site]
ID = "2026-11-08-a.md"
FIELDS = [field for field in ArticleFile.__struct_encode_fields__ if field != "title"]


def parse(fields: str, id: str = ID, body: str = "") -> Parsed:
    matter = fields if fields.startswith(("+++", "{")) else f"---\n{fields}\n---\n"
    return Reader(Config()).parse(Source(id, f"{matter}{body}".encode()))


def article(fields: str, body: str = "") -> Article:
    """The article of a file with nothing wrong in it."""
    found = parse(fields, body=body)
    assert isinstance(found.value, Article)
    assert not found.problems
    return found.value


def salvaged(fields: str, *problems: str, id: str = ID, body: str = "") -> Any:
    """What is left of a file with these problems: each as `scope line: field: …`, or its beginning."""
    found = parse(fields, id, body)
    told = [f"{p.scope} {p.line}: {p.field}: {p.what}; {p.hint}" for p in found.problems]
    assert len(told) == len(problems), told
    for one, expected in zip(told, problems, strict=True):
        assert one.startswith(expected), told
    assert (found.value is None) == any(p.startswith("file") for p in problems)
    return found.value


# Text as written


@pytest.mark.parametrize(
    "text",
    ["1984", "12:30", "2026-11-08", "No", "on", "1_000", "7:05", "1.0", "0x1F", "1e3", ".5", "0755", "2026-02-30", "+1", "TRUE", ".inf",
     "2026-11-08 07:30:00", "1" * 5000],
)  # fmt: skip
def test_a_text_field_takes_what_the_file_says(text: str) -> None:
    found = article(
        f"title: {text}\nexcerpt: {text}\ncategory: {text}\ntype: {text}\nstory: {text}\ntopics: [{text}, x]\n"
        f"provider: {{name: {text}}}\nrelated: [{{title: {text}, webUrl: 'https://b.example/1', excerpt: {text}}}]"
    )
    assert (found.title, found.excerpt, found.category, found.type) == (text, text, text, text)
    assert (found.topics, found.provider_name) == ((text, "x"), text)
    assert [(r.title, r.excerpt) for r in found.related] == [(text, text)]
    assert found.story
    alone = article(f"title: x\ntopics: {text}\nprovider: {text}")
    assert (alone.topics, alone.provider_name) == ((text,), text)


def test_the_words_of_a_web_cms_are_text() -> None:
    found = article(
        "title: 12:30\nexcerpt: No\ncategory: on\ntopics:\n  - 2026\n  - yes\n  - 1_000\n  - 7:05\n  - 2026-11-08\nlang: no"
    )
    assert (found.title, found.excerpt, found.category, found.lang) == ("12:30", "No", "on", "no")
    assert found.topics == ("2026", "yes", "1_000", "7:05", "2026-11-08")


def test_text_as_written_in_toml_and_json() -> None:
    found = article(
        "+++\ntitle = 1984 # a year\ncategory = true\ntopics = [1_000, 0x1F, 1e3, 0.50, 2026-11-08, 07:05:00, 'a, b = 5']\n"
        "excerpt = 2026-11-08 07:30:00Z\nstory = 7\n+++\n"
    )
    assert (found.title, found.category, found.excerpt, found.story) == ("1984", "true", "2026-11-08 07:30:00Z", "7")
    assert found.topics == ("1_000", "0x1F", "1e3", "0.50", "2026-11-08", "07:05:00", "a, b = 5")
    found = article('{\n"title": 1984,\n"excerpt": false,\n"topics": [1e3, 1.50, true, null, "x"]\n}\n')
    assert (found.title, found.excerpt, found.topics) == ("1984", "false", ("1e3", "1.50", "true", "x"))


def test_text_as_written_through_aliases_merges_and_other_names() -> None:
    found = article("title: &t 1_0\ntags: [*t, no]\ndescription: *t\nprovider: {<<: {name: 1_1}}")
    assert (found.title, found.topics, found.excerpt, found.provider_name) == ("1_0", ("1_0", "no"), "1_0", "1_1")


def test_field_names_are_text_too() -> None:
    found = article("title: x\nno: 12\n2026: {1: a}")
    assert found.extra == (("2026", (("1", "a"),)), ("no", 12))


def test_null_is_absent_everywhere() -> None:
    nulls = "".join(f"{name}: ~\n" for name in FIELDS)
    assert article(f"title: x\n{nulls}") == article("title: x")
    found = article(
        "title: x\nunknown: ~\ntags: [~, a]\nimages: [~, {url: /a.png, width: ~}]\n"
        "related: [~, {title: R, webUrl: 'https://b.example/1', heat: ~, provider: ~}]"
    )
    assert (found.extra, found.topics, len(found.images), len(found.related.keys)) == ((), ("a",), 1, 1)
    assert article("title: x\nexcerpt: ~\ndescription: D").excerpt == "D"
    assert salvaged("title: ~", "file 2: title: missing") is None


def test_text_without_quotes_is_split_at_commas() -> None:
    found = article("title: x\ntopics: Verkehr, Radwege,\ncategory: Stadt, Rad\naliases: /2019/a,1.html, /b/,/c/")
    assert (found.topics, found.category) == (("Verkehr", "Radwege", "Rad"), "Stadt")
    assert found.aliases == ("/2019/a,1.html", "/b/", "/c/")
    assert article("title: x\ntags: Verkehr, Radwege").topics == ("Verkehr", "Radwege")
    for quoted in ("topics: 'a, b'", 'topics: "a, b"', 'tags: ["a, b"]'):
        assert article(f"title: x\n{quoted}").topics == ("a, b",)
    assert article('+++\ntitle = "x"\ntopics = "a, b"\n+++\n').topics == ("a, b",)
    assert article('title: x\ntopics: "a, b"\ncategories: jekyll update').category == "jekyll update"


def test_a_provider_can_be_only_a_name_or_a_domain() -> None:
    found = article("title: x\nwebUrl: https://www.paper.example/2\nprovider: Paper")
    assert (found.provider, found.provider_name) == ("paper.example", "Paper")
    for text in ("WWW.Paper.example", "https://paper.example/"):
        found = article(f"title: x\nprovider: {text}")
        assert (found.provider, found.provider_name) == ("paper.example", "")
    for text in ("Inc.", "U.S.", "1843", "St. Pauli", "http://[::1"):
        assert article(f"title: x\nprovider: {text}").provider == ""
    found = article("title: x\nrelated: [{title: R, webUrl: 'https://b.example/1', provider: Paper}]")
    assert [(r.provider, r.provider_name) for r in found.related] == [("b.example", "Paper")]


# One bad value


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("excerpt: [x]", "excerpt: expected text, got a list"),
        ("updatedDateTime: never", "updatedDateTime: 'never' is not a valid date"),
        ("ampWebUrl: {}", "ampWebUrl: expected text, got a mapping"),
        ("heat: hot", "heat: expected a number"),
        ("heat: 1e999", "heat: expected a number"),
        ("quality: .nan", "quality: "),
        (f"quality: {'9' * 30}", "quality: "),
        (f"quality: {'9' * 5000}", "quality: expected a whole number"),
        ("provider: [x]", "provider: expected text or a mapping, got a list"),
        ("provider: {domain: a b}", "provider.domain: 'a b' is not a domain"),
        ("topics: {a: b}", "topics: "),
        ("topics: [a, [b]]", "topics[1]: expected text, got a list"),
        ("tags: [a, [b]]", "tags[1]: expected text, got a list"),
        ("category: [[a]]", "category[0]: expected text, got a list"),
        ("type: {}", "type: expected text"),
        ("images: 5", "images: '5' is not the address of a picture"),
        ("images: true", "images: 'true' is not the address of a picture"),
        ("images: [[]]", "images[0]: "),
        ("images: [{width: 5}]", "images[0].url: missing"),
        ("images: [{url: {}}]", "images[0].url: expected text"),
        ("images: 'javascript:x'", "images: 'javascript:x' is not the address of a picture"),
        ("related: text", "related: expected a list, got text"),
        ("related: true", "related: expected a list, got true or false"),
        ("related: [text]", "related[0]: expected a mapping, got text"),
        ("related: [[[]]]", "related[0]: expected a mapping, got a list"),
        ("related: [{webUrl: 'https://b.example/1'}]", "related[0].title: missing"),
        ("related: [{title: R}]", "related[0].webUrl: missing"),
        ("related: [{title: R, webUrl: 'ftp://b.example/1'}]", "related[0].webUrl: 'ftp://b.example/1' is not"),
        ("featuredContent: [x]", "featuredContent: expected text"),
        (f"featuredContent: {'x' * 16_385}", "featuredContent: more than 16,384 characters"),
        ("story: {a: b}", "story: expected text"),
        ("pin: x", "pin: 'x' is not a valid date"),
        ("lang: x y z", "lang: 'x y z' is not a language tag"),
        ("dir: up", "dir: unknown value 'up'"),
        ("aliases: {}", "aliases: "),
        ("aliases: ['https://x.example/']", "aliases[0]: "),
        ("publishedDateTime: 2026-02-30", "publishedDateTime: '2026-02-30' is not a valid date"),
    ],
)  # fmt: skip
def test_a_bad_value_is_left_out_itself(field: str, problem: str) -> None:
    found = salvaged(f"title: x\n{field}", f"value 3: {problem}")
    without = article("title: x\ntopics: a" if "[a, [b]]" in field else "title: x")
    assert found == without


def test_what_is_good_in_a_related_entry_is_used() -> None:
    found = salvaged(
        "title: x\nrelated:\n  -\n  - {title: A, webUrl: 'https://a.example/1', heat: hot, provider: [x], publishedDateTime: x}\n"
        "  - {titel: B, webUrl: 'https://b.example/1', excerpt: [x]}\n"
        "  - {title: C, webUrl: 'ftp://c.example/1', originalUrl: 'https://c.example/2', images: [{url: /c.png, width: -1}, [], {}]}",
        "value 5: related[1].heat: expected a number",
        "value 5: related[1].provider: expected text or a mapping",
        "value 5: related[1].publishedDateTime: 'x' is not a valid date",
        "value 6: related[2].excerpt: expected text, got a list",
        "value 6: related[2].title: missing; did you mean 'titel' (line 6)?",
        "value 7: related[3].images[0].width: expected a whole number",
        "value 7: related[3].images[1]: expected text or a mapping, got a list",
        "value 7: related[3].images[2].url: missing",
        "value 7: related[3].webUrl: 'ftp://c.example/1' is not",
    )
    a, c = found.related
    assert (a.title, a.url, a.provider, a.published) == ("A", "https://a.example/1", "a.example", None)
    assert (c.title, c.url, c.keys[0], c.image.url, c.image.width) == (
        "C",
        "https://c.example/2",
        "c.example/2",
        "/c.png",
        0,
    )


def test_topics_over_the_limit_are_left_out() -> None:
    many = ", ".join(f"p{number}" for number in range(51))
    for field in ("topics", "tags"):
        found = salvaged(
            f"title: x\n{field}: [{many}]", f"value 3: {field}[50]: 'p50' is left out; an article can have 50"
        )
        assert found.topics == tuple(f"p{number}" for number in range(50))
    assert (
        len(salvaged(f"title: x\ntopics: {many}, q", "value 3: topics[50]: 'p50' and 1 more are left out").topics) == 50
    )
    assert len(article(f"title: x\ntopics: [{many.replace('p50', 'p1')}]").topics) == 50


@pytest.mark.parametrize("body", ["[" * 50_000, "x" * 1_100_000, "é" * 1_400_000], ids=["deep", "large", "huge"])
def test_a_body_that_cannot_be_used_is_left_out(site: Make, body: str) -> None:
    s = site().article("a", body=body)
    report = s.build()
    assert [(p.scope, p.path) for p in report.problems] == [("value", "content/a.md")]
    assert report.published == 1
    assert next(s.load().library.articles).body == ""


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ("published: maybe", ["gate 3: published: expected true or false, got text; write true or false"]),
        ("published: 2026-11-01", ["gate 3: published: '2026-11-01' is a date; write it as publishedDateTime"]),
        ("published: [false]", ["gate 3: published: expected true or false, got a list"]),
        ("draft: 'true'", ["gate 3: draft: expected true or false, got text"]),
        ("draft: 1", ["gate 3: draft: expected true or false, got a whole number"]),
        ("expiryDate: soon", ["gate 3: expiryDate: 'soon' is not a valid date"]),
        ("expirydate: 2026-02-30", ["gate 3: expirydate: '2026-02-30' is not a valid date"]),
        ("draft: x\nheat: y\npublished: z", ["gate 3: draft", "value 4: heat", "gate 5: published"]),
    ],
)
def test_a_gate_that_cannot_be_read_holds_the_article(fields: str, problems: list[str]) -> None:
    found = salvaged(f"title: x\n{fields}", *problems)
    assert found.held
    assert found.title == "x"


def test_a_gate_that_cannot_be_read_does_not_make_a_follower() -> None:
    assert salvaged("title: x\ndraft: x\nheat: -1", "gate").heat is None
    assert salvaged("title: x\npublished: x\nheat: -1", "gate").heat == -1, "as with `published: false`"


def test_an_article_whose_only_address_cannot_be_read_is_no_own_post() -> None:
    for address in ("'ftp://x.example/'", "[x]", "5", "{}", "' '"):
        salvaged(f"title: x\nwebUrl: {address}", "file 3: webUrl")
        salvaged(f"title: x\noriginalUrl: {address}\nwebUrl: ftp://x", "file 3: originalUrl", "file 4: webUrl")
        found = salvaged(f"title: x\nwebUrl: {address}\noriginalUrl: https://a.example/1", "value 3: webUrl")
        assert (found.url, found.keys) == ("https://a.example/1", ("a.example/1",))
        assert salvaged(f"title: x\noriginalUrl: {address}\nwebUrl: https://a.example/1", "value 3: originalUrl").url
    assert article("title: x\nwebUrl: ''").url == ""


def test_only_without_a_usable_title_or_date_is_a_file_left_out() -> None:
    for title in ("title: [x]", "title: {a: b}", "title: ''", "title: '<b></b>'"):
        salvaged(title, "file 2: title: ")
    salvaged("title: x\npublishedDateTime: x", "file 3: publishedDateTime: 'x' is not", id="a.md")
    salvaged("title: x", "file 1: publishedDateTime: missing; set it, or begin", id="a.md")
    impossible = (
        "file 1: publishedDateTime: missing; set it, or correct the day in the file's path: 2026-02-30 does not exist"
    )
    salvaged("title: x", impossible, id="2026-02-30-a.md")
    salvaged("title: x", impossible, id="2026/02/30/a.md")
    found = salvaged("title: x\npublishedDateTime: [x]", "value 3: publishedDateTime")
    assert found.published == datetime(2026, 11, 8, tzinfo=UTC)
    salvaged("excerpt: [x]\nlang: x y", "file 1: title: missing", "value 2: excerpt", "value 3: lang")


def test_a_missing_field_names_the_one_that_was_meant() -> None:
    salvaged("titel: x", "file 1: title: missing; did you mean 'titel' (line 2)?")
    salvaged("Excerpt: y\nTitles: x", "file 1: title: missing; did you mean 'Titles' (line 3)?")
    salvaged(
        "title: x\npublishedDateTme: x",
        "file 1: publishedDateTime: missing; did you mean 'publishedDateTme' (line 3)?",
        id="a.md",
    )
    salvaged("titel: x", "file 1: title: missing; did you mean 'titel' (line 2)?", id="_pages/a.md")
    salvaged("excerpt: x", "file 1: title: missing; ")
    salvaged('+++\ntitel = "x"\n+++\n', "file 1: title: missing; did you mean 'titel' (line 2)?")


def test_files_about_topics_and_others_follow_the_same_rule() -> None:
    found = salvaged(
        "name: 2026\nparent: 7\ndescription: [x]\nhome: x\nimages: [{}, /a.png]\nnavigation: maybe\naliases: [/a/, ftp:x]",
        "value 4: description",
        "value 5: home",
        "value 6: images[0].url: missing",
        "value 7: navigation",
        "value 8: aliases[1]",
        id="_topics/a.md",
    )
    assert isinstance(found, About)
    assert (found.title, found.parent, found.home, found.aliases) == ("2026", "7", "", ("/a/",))
    assert found.image
    assert found.image.url == "/a.png"
    salvaged("name: x\nhome: x", "file 1: : 'no domain' is not a domain", "value 3: home", id="_providers/no domain.md")
    salvaged("title: [x]", "file 2: title: expected text", id="_pages/a.md")
    assert salvaged("title: [x]\nlead: 7", "value 2: title", id="_stories/a.md").lead == "7"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["title", "url", "webUrl", "name", "domain", "width", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
).map(lambda value: yaml.dump({"k": value}, Dumper=yaml.CSafeDumper, allow_unicode=True, width=10**9)[2:])
SCALARS = st.from_regex(r"[-+.:0-9_eExXa-fTtZ~ ,#/]{0,12}", fullmatch=True).map(lambda text: f" {text}\n")


def is_readable(text: str) -> bool:
    try:
        frontmatter.parse(text.encode())
    except frontmatter.FrontMatterError:
        return False
    return True


@settings(max_examples=200)
@given(st.sampled_from(FIELDS), VALUES | SCALARS)
def test_no_value_of_one_field_costs_the_article(field: str, value: str) -> None:
    text = f"title: x\n{field}:{value}more: 5"
    found = parse(text)
    assert unpack(pack(found)) == found
    if is_readable(f"---\n{text}\n---\n") and field not in ("webUrl", "originalUrl"):
        assert isinstance(found.value, Article), found.problems
        assert found.value.title == "x"
        assert found.value.held or not any(p.scope == "gate" for p in found.problems)


@settings(max_examples=200)
@given(st.sampled_from(AboutFile.__struct_encode_fields__), VALUES | SCALARS)
def test_no_value_of_one_field_costs_a_file_about_a_topic(field: str, value: str) -> None:
    text = f"more: x\n{field}:{value}"
    found = parse(text, "_topics/a.md")
    assert unpack(pack(found)) == found
    assert isinstance(found.value, About) or not is_readable(f"---\n{text}\n---\n"), found.problems


# Commands

BAD = """\
-- site.toml --
title = "T"
base_url = "https://t.example/"
-- content/2026-11-08-a.md --
---
title: A
images: [{url: "javascript:x"}]
exerpt: x
---
-- content/2026-11-08-b.md --
---
title: B
aliases: [nowhere:x]
related: [{title: R}]
---
"""
GATE = "-- content/2026-11-08-c.md --\n---\ntitle: C\ndraft: perhaps\n---\n"
LOST = "-- content/2026-11-08-d.md --\n---\ntitel: D\nlang: x y\n---\n"


def told(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if re.match("(error|warning): ", line))


def test_all_commands_say_the_same_about_the_same_files(site: Make) -> None:
    s = site(BAD + GATE + LOST)
    built = s.run("build")
    assert built.returncode == 1
    assert len(told(built.stderr)) == 7
    assert "error: content/2026-11-08-d.md:1: title: missing; did you mean 'titel' (line 2)?" in told(built.stderr)
    for command in (["build"], ["check"], ["publish", "./out"], ["build", "--strict", "--output", "strict"]):
        done = s.run(*command)
        assert (done.returncode, told(done.stderr)) == (1, told(built.stderr)), command
    assert not (s.root / "strict").exists()
    command = [sys.executable, "-u", "-m", "newsgen", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=s.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as preview:
        assert preview.stdout
        assert preview.stderr
        preview.stdout.readline()
        preview.terminate()
        assert told(preview.stderr.read()) == told(built.stderr)


def test_reports_say_what_a_problem_cost(site: Make) -> None:
    s = site(BAD + GATE + LOST)
    for command in ("build", "check"):
        problems = json.loads(s.run(command, "--json").stdout)["problems"]
        assert [(p["path"][19:20], p["field"], p.get("scope", "file")) for p in problems] == [
            ("a", "images[0].url", "value"),
            ("b", "aliases[0]", "value"),
            ("b", "related[0].webUrl", "value"),
            ("c", "draft", "gate"),
            ("d", "title", "file"),
            ("d", "lang", "value"),
        ]
    assert "/c/" not in " ".join(s.tree()), "held"


def test_publish_refuses_only_where_a_file_is_left_out_or_a_gate_cannot_be_read(site: Make) -> None:
    s = site(BAD)
    done = s.run("publish", "./out")
    assert done.returncode == 0, done.stderr
    assert len(told(done.stderr)) == 4
    assert (s.root / "out/current/2026/11/08/a/index.html").exists()
    for more in (GATE, LOST):
        s = site(BAD + more, name="gate" if more == GATE else "lost")
        done = s.run("publish", "./out")
        assert (done.returncode, (s.root / "out/current").exists()) == (1, False)
        assert "nothing was published" in done.stderr
        assert s.run("publish", "./out", "--allow-errors").returncode == 0


def test_an_incremental_build_keeps_the_problems_and_the_articles(site: Make) -> None:
    s = site(BAD + GATE + LOST)
    first = s.build()
    s.article("e")
    again = s.build()
    assert again.problems == first.problems
    assert again.published == first.published + 1


# Authors


@pytest.mark.parametrize(
    ("written", "authors"),
    [
        ("author: Ann Lee", [("Ann Lee", "")]),
        ("author: Lee, Ann", [("Lee, Ann", "")]),
        ("author: [Ann Lee, Bo, ann lee]", [("Ann Lee", ""), ("Bo", "")]),
        ("author: {name: Ann, url: 'https://ann.example/'}", [("Ann", "https://ann.example/")]),
        ("authors: [{name: Ann, url: /ann/, title: Editor}, Bo]", [("Ann", "/ann/"), ("Bo", "")]),
        ("primary_author: {name: Ann, slug: ann}", [("Ann", "")]),
        ("author: 1984", [("1984", "")]),
        ("author: '<b>Ann</b> &amp; Bo'", [("Ann & Bo", "")]),
        ("author: ''", []),
        ("authors: {twitter: ann}", []),
        ("authors: [{key: ann}]", []),
    ],
)
def test_an_author_is_written_as_in_other_generators(written: str, authors: list[tuple[str, str]]) -> None:
    assert [(a.title, a.url) for a in article(f"title: A\n{written}").authors] == authors


def test_headers_separate_authors_with_semicolons() -> None:
    found = Reader(Config()).parse(Source(ID, b"Title: A\nAuthors: Lee, Ann; Bo\n\nText\n")).value
    assert isinstance(found, Article)
    assert [a.title for a in found.authors] == ["Lee, Ann", "Bo"]


def test_a_bad_author_costs_that_author() -> None:
    found = salvaged(
        f"title: A\nauthor:\n- {{url: /x/}}\n- {{name: Ann, url: 'javascript:alert(1)'}}\n- {'x' * 201}\n- [Bo]\n- Cem",
        "value 4: author[0]: has no name; write it as text, or as {name: ..., url: ...}",
        "value 5: author[1].url: 'javascript:alert(1)' is not a web address",
        "value 6: author[2]: '" + "x" * 39,
        "value 7: author[3]: expected",
    )
    assert [(a.title, a.url) for a in found.authors] == [("Ann", ""), ("Cem", "")]
    many = salvaged("title: A\nauthor: " + str([f"N{n}" for n in range(25)]), "value 3: author: 5 are left out")
    assert len(many.authors) == 20
