"""Every front matter field: valid values, and a problem for each invalid one."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sites import Site

from newsgen import files
from newsgen.config import Config
from newsgen.content import reader as content
from newsgen.content.reader import Reader
from newsgen.content.source import Source, read
from newsgen.model import About, Article

Make = Callable[..., Site]


def parse(text: str | bytes, id: str = "a.md", config: Config | None = None) -> Any:
    """What the file is; if there is something wrong in it, the problems."""
    found = Reader(config or Config()).parse(Source(id, text if isinstance(text, bytes) else text.encode()))
    return found.problems or found.value


def article(fields: str = "", body: str = "", id: str = "2026-11-08-a.md", config: Config | None = None) -> Article:
    found = parse(f"---\ntitle: A\n{fields}---\n{body}", id, config)
    assert isinstance(found, Article), "\n".join(map(str, found))
    return found


def problems(text: str | bytes, id: str = "2026-11-08-a.md") -> list[str]:
    found = parse(text, id)
    assert isinstance(found, tuple)
    return [str(p) for p in found]


def test_every_field_of_the_sample_is_parsed(data: Path) -> None:
    file = next((data / "sample").glob("*.md"))
    found = parse(file.read_bytes(), file.name)
    assert isinstance(found, Article)
    assert found.slug == "european-parliament-entreats-a-ban-on-facial-recognition"
    assert found.published == datetime(2021, 10, 7, 16, 32, tzinfo=UTC)
    assert (found.category, found.topics, found.type) == ("news", ("Computer Vision", "AI"), "article")
    assert (found.quality, found.heat, found.held) == (39, -1, True)
    assert (found.provider, found.provider_name) == ("techstory.in", "tech")
    assert found.keys == ("techstory.in/european-parliament-entreats-a-ban-on-facial-recognition",)
    assert found.images[0].width == 1024
    assert [r.provider_name for r in found.related] == [
        "TechCrunch",
        "Gizmodo",
        "ZDNet",
        "TechSpot",
        "POLITICO",
        "Common Dreams",
    ]
    assert [len(r.keys) for r in found.related] == [1] * 6, "an AMP copy has the key of its original"
    assert next(iter(found.related)).quality == 172
    assert "slcbK3" not in repr(found), "`secured` is not loaded"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-08T16:30:00Z", datetime(2026, 11, 8, 16, 30, tzinfo=UTC)),
        ("2026-11-08T16:30:00+02:00", datetime(2026, 11, 8, 14, 30, tzinfo=UTC)),
        ("2026-11-08 16:30:00", datetime(2026, 11, 8, 16, 30, tzinfo=UTC)),
        ("2026-11-08 16:30:00 -0400", datetime(2026, 11, 8, 20, 30, tzinfo=UTC)),
        ("2026-11-08 9:30:00 -0400", datetime(2026, 11, 8, 13, 30, tzinfo=UTC)),
        ("'2026-11-08T16:30Z'", datetime(2026, 11, 8, 16, 30, tzinfo=UTC)),
        ("2026-11-08", datetime(2026, 11, 8, tzinfo=UTC)),
    ],
)
def test_times_are_iso_8601_and_utc_unless_a_zone_is_given(value: str, moment: datetime) -> None:
    assert article(f"publishedDateTime: {value}\n").published == moment


def test_front_matter_overrides_the_date_in_the_file_name() -> None:
    assert article(id="2026-11-08-a.md").published == datetime(2026, 11, 8, tzinfo=UTC)
    assert article("publishedDateTime: 2026-11-09T01:00:00Z\n", id="2026-11-08-a.md").published.day == 9


@pytest.mark.parametrize(
    ("id", "slug"),
    [
        ("2026-11-08-a-b.md", "a-b"),
        ("x/2026-11-08_A B.markdown", "a-b"),
        ("2026-11-08.md", "2026-11-08"),
        ("x/2026-11-08-deep/index.md", "deep"),
    ],
)
def test_the_slug_comes_from_the_file_name_and_not_from_the_title(id: str, slug: str) -> None:
    assert article(id=id).slug == slug


def test_text_fields_become_plain_text() -> None:
    found = article('excerpt: "Fish &amp; <b>chips</b>  now&nbsp;&hellip;"\n')
    assert found.excerpt == "Fish & chips now …"


def test_web_url_takes_precedence_over_original_url_and_amp_urls_only_give_keys() -> None:
    found = article(
        'webUrl: "https://a.example/1"\noriginalUrl: "https://b.example/1"\nampWebUrl: "https://a.example/1/amp"\ncdnAmpWebUrl: "javascript:x"\n'
    )
    assert found.url == "https://a.example/1"
    assert found.keys == ("a.example/1", "b.example/1")
    assert article('originalUrl: "https://b.example/1"\n').url == "https://b.example/1"
    assert article().url == ""


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://a.example/ü b", "https://a.example/%C3%BC%20b"),
        ("//a.example/x", "https://a.example/x"),
        ("https://ünder.example/x", "https://xn--nder-zra.example/x"),
        ("HTTPS://A.example/X", "https://a.example/X"),
    ],
)
def test_urls_are_normalised_and_percent_encoded(given_url: str, url: str) -> None:
    assert article(f'webUrl: "{given_url}"\n').url == url


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "/local", "ftp://a.example", "https://", "https://user:pw@a.example/", "https://a.example:99999/", "http://[::1/",
     "data:text/html,x", "https://a.example/\\u0000", "vbscript:x", " https//a.example"],
)  # fmt: skip
def test_only_http_urls_are_accepted(url: str) -> None:
    found = problems(f'---\ntitle: A\nwebUrl: "{url}"\n---\n')
    assert len(found) == 1
    assert found[0].startswith("content/2026-11-08-a.md:3: webUrl: ")
    assert "write it in full, beginning with https://" in found[0]


def test_a_missing_provider_domain_comes_from_the_url() -> None:
    assert article('webUrl: "https://www.News.example/1"\n').provider == "news.example"
    assert (
        article('webUrl: "https://x.example/1"\nprovider: {domain: "https://WWW.News.example/"}\n').provider
        == "news.example"
    )


def test_topics_are_deduplicated_and_a_single_topic_needs_no_list() -> None:
    assert article("topics: [AI, ai, Rail, '']\n").topics == ("AI", "Rail")
    assert article("topics: AI\n").topics == ("AI",)


def test_other_generators_names_are_used_if_ours_are_absent() -> None:
    found = article(
        "date: 2026-01-02\ndescription: D\ntags: [T]\ncategories: [C, D]\nlink: https://a.example/1\nimage: https://a.example/i.png\nlastmod: 2026-01-03\n"
    )
    assert (found.published.month, found.excerpt, found.category, found.topics) == (1, "D", "C", ("T", "D"))
    assert (found.url, found.images[0].url) == ("https://a.example/1", "https://a.example/i.png")
    assert found.updated is not None
    assert found.extra == ()
    both = article("excerpt: ours\ndescription: theirs\nurl: /a/path/\n")
    assert both.excerpt == "ours"
    assert both.extra == (("description", "theirs"), ("url", "/a/path/"))


def test_the_names_of_other_generators_can_be_configured() -> None:
    import msgspec

    config = msgspec.convert({"fields": {"excerpt": ["deck"]}}, Config)
    found = article("deck: D\nsummary: S\n", config=config)
    assert found.excerpt == "D"
    assert found.extra == (("summary", "S"),)


def test_unknown_fields_are_kept_and_each_gives_one_warning(site: Make) -> None:
    s = site().article("a", exerpt="x").article("b", exerpt="y", mood="{b: [1, 2020-01-01], a: null}")
    report = s.good()
    assert [str(w) for w in report.warnings] == [
        "content/a.md: exerpt: unknown field, kept in `extra`; did you mean 'excerpt'?",
        "content/b.md: mood: unknown field, kept in `extra`",
    ]
    assert dict(next(s.load().library.articles).extra)["mood"] == (("b", (1, "2020-01-01")),)


def test_only_an_iframe_of_an_allowed_host_becomes_a_player() -> None:
    html = "<iframe width='800' src='https://www.youtube.com/embed/abc'></iframe><script>x</script>"
    assert article(f'type: video\nfeaturedContent: "{html}"\n').embed == "https://www.youtube.com/embed/abc"
    assert article('featuredContent: "<script>x</script>"\n').embed == ""


def test_the_first_paragraph_replaces_a_missing_excerpt() -> None:
    assert (
        article(body="# Heading\n\nThe *first* [paragraph](https://a.example/) of it.\n\nMore.").excerpt
        == "The first paragraph of it."
    )


def test_an_html_body_is_not_parsed_as_markdown() -> None:
    assert article(body="<p>*not em*</p>", id="2026-11-08-a.html").body == "<p>*not em*</p>"


def test_files_about_topics_providers_stories_and_pages_are_parsed() -> None:
    found = parse("---\nname: Rail\nparent: Transport\ndescription: D\n---\nBody", "_topics/rail.md")
    assert isinstance(found, About)
    assert (found.kind, found.key, found.title, found.parent, found.body) == (
        "topic",
        "rail",
        "Rail",
        "Transport",
        "<p>Body</p>",
    )
    assert parse("---\nname: X\n---\n", "_providers/WWW.A.example.md").key == "a.example"
    about = parse("---\nkind: Weekly\ncountry: 12:30\nowner: A & B\n---\n", "_providers/a.example.md")
    assert (about.type, about.country, about.owner) == ("Weekly", "12:30", "A & B")
    assert "owner: 'yyy" in str(parse(f"---\nowner: {'y' * 81}\n---\n", "_providers/a.example.md")[0])
    assert "not a domain" in str(parse("---\nname: X\n---\n", "_providers/no domain.md")[0])
    assert "title: missing" in str(parse("---\ndescription: X\n---\n", "_pages/about.md")[0])


def test_all_errors_of_a_file_are_reported_together_with_their_lines() -> None:
    text = """---
title: [1984]
excerpt: [no]
publishedDateTime: yesterday
webUrl: "ftp://a.example/"
quality: high
heat: .nan
provider:
  name: {a: true}
related:
  - title: Fine
    webUrl: "https://b.example/1"
  - webUrl: "https://c.example/1"
    images:
      - width: -3
        url: "https://c.example/i.png"
dir: up
aliases: ["relative", "/fine/"]
---
"""
    found = problems(text, "deep/a.md")
    assert [p.removeprefix("content/deep/a.md:") for p in found] == [
        "2: title: expected text, got a list",
        "3: excerpt: expected text, got a list",
        "4: publishedDateTime: 'yesterday' is not a valid date; write it as 2026-11-08 or 2026-11-08T16:30:00Z",
        "5: webUrl: 'ftp://a.example/' is not a web address; write it in full, beginning with https://",
        "6: quality: expected a whole number or null, got text",
        "7: heat: expected a number >= -1000000000000000.0",
        "9: provider.name: expected text, got a mapping",
        "13: related[1].title: missing",
        "15: related[1].images[0].width: expected a whole number >= 0",
        "17: dir: unknown value 'up'; use one of: ltr, rtl, auto",
        "18: aliases[0]: 'relative' is not an address on this site; write the old path, such as /2019/07/name/",
    ]


def test_all_invalid_values_of_the_right_type_are_reported_together() -> None:
    found = problems(
        '---\ntitle: " "\nwebUrl: "ftp://x"\nlang: no language\nrelated:\n  - title: T\n  - title: ""\n    webUrl: "https://b.example/1"\naliases: [rel]\n---\n',
        "a.md",
    )
    assert [p.removeprefix("content/a.md:").split(";")[0] for p in found] == [
        "1: publishedDateTime: missing",
        "2: title: must not be empty",
        "3: webUrl: 'ftp://x' is not a web address",
        "4: lang: 'no language' is not a language tag",
        "6: related[0].webUrl: missing",
        "7: related[1].title: must not be empty",
        "9: aliases[0]: 'rel' is not an address on this site",
    ]


@pytest.mark.parametrize(
    "alias",
    [
        "https://evil.example/",
        "//evil.example/",
        "/../../etc/",
        "/a\\\\b/",
        "/%5Cevil.example/",
        "/a\\u000ab/",
        "/a%0Ab/",
        "/%2e%2e/",
        "/c:/windows/",
        "/.newsgen-manifest.json/",
        "javascript:alert(1)//x",
    ],
)
def test_an_alias_that_leaves_the_site_is_refused(alias: str) -> None:
    assert "is not an address on this site" in problems(f'---\ntitle: A\naliases: ["{alias}"]\n---\n')[0]


def test_a_body_that_is_too_deep_or_too_large_is_refused() -> None:
    assert "nested too deeply" in problems("---\ntitle: A\n---\n" + "[" * 50_000)[0]
    assert "the body has more than" in problems("---\ntitle: A\n---\n" + "x" * 1_100_000)[0]


def test_messages_never_quote_the_secured_field() -> None:
    text = '---\ntitle: 1\nsecured: "TOPSECRETTOPSECRET;AAAA"\nwebUrl: 5\n---\n'
    assert "TOPSECRET" not in "\n".join(problems(text))
    assert "TOPSECRET" not in "\n".join(problems(text.replace("title: 1", "title: [")))
    assert "TOPSECRET" not in "\n".join(problems(text.replace('"TOP', '"TOP\\q')))


def fill(folder: Path, *names: str) -> None:
    """Writes files of these names into a folder."""
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")


def test_scan_finds_articles_at_any_depth_and_skips_hidden_names(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "a.md",
        "b/c/d.markdown",
        "e.txt",
        "f.HTML",
        "g.png",
        "_draft.md",
        ".h.md",
        "b/_topics/x.md",
        "_topics/t.md",
        "_other/y.md",
        "b/.git/z.md",
    )
    assert [s.id for s in files.scan(tmp_path).content] == ["_topics/t.md", "a.md", "b/c/d.markdown", "e.txt", "f.HTML"]


def test_scan_names_the_files_of_other_generators_in_path_order(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "b.rst",
        "a.rst",
        "a/z.RST",
        "a-b/c.mdx",
        "a-b/d.Rmd",
        "a-b/e.qmd",
        "a/b.org",
        "_x.rst",
        "_drafts/y.rst",
        ".z.rst",
        "rst",
        "c.rst.md",
    )
    (tmp_path / "folder.rst").mkdir()
    found = files.scan(tmp_path)
    assert found.foreign == ["a/b.org", "a/z.RST", "a-b/c.mdx", "a-b/d.Rmd", "a-b/e.qmd", "a.rst", "b.rst"]
    assert list(found.content.ids) == ["c.rst.md"]


def test_scan_and_read_report_files_that_they_do_not_read(tmp_path: Path) -> None:
    (tmp_path / "huge.md").write_bytes(b"x" * 2_000_000)
    (tmp_path / "dir.md").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.md").symlink_to(tmp_path / "nowhere")
    import os

    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / b"bad\xff.md".decode("utf-8", "surrogateescape")).write_text("x")
    found = {s.id: str(s.data) for s in (read(f, "content") for f in files.scan(tmp_path, "content").content)}
    assert found["huge.md"].count("x") >= 1_200_000, "only a part of it is read"
    assert "links to folders are not followed" in found["loop"]
    assert "cannot be read" in found["gone.md"]
    assert "not a regular file" in found["pipe.md"]
    assert any("cannot be printed" in text for text in found.values())
    assert "dir.md" not in found


def test_a_dumped_file_is_read_back_unchanged() -> None:
    values = {
        "title": 'A "quoted": title #1',
        "excerpt": "yes",
        "publishedDateTime": datetime(2026, 11, 8, tzinfo=UTC),
        "topics": ["no", "1:30"],
    }
    found = parse(content.dump(values, "Some *body*."))
    assert isinstance(found, Article)
    assert (found.title, found.excerpt, found.topics) == (values["title"], "yes", ("no", "1:30"))
    assert found.body == "<p>Some <em>body</em>.</p>"


def test_all_articles_of_a_real_site_are_parsed(data: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(data / "data/everyday_public.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    reader = Reader(Config())
    found = [reader.parse(read(f)) for f in files.scan(tmp_path / "content").content]
    assert len(found) == 330
    assert all(isinstance(a.value, Article) and not a.problems for a in found)
    videos = [a.value for a in found if isinstance(a.value, Article) and a.value.type == "video"]
    assert videos
    assert all(a.url and a.embed.startswith("https://www.youtube") for a in videos)


def test_posts_of_another_generator_become_own_posts(data: Path, tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(data / "data/suites/digitalgov-news.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    reader = Reader(Config())
    found = [reader.parse(read(f)) for f in files.scan(tmp_path / "content").content]
    own = [a for a in found if isinstance(a.value, Article) and not a.value.url]
    assert len(own) >= 0.97 * 2083
    assert all(str(p) for a in found for p in a.problems)


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ('title: R\n    webUrl: "https://r.example/1"\n    quality: 7', 0),
        ('title: R\n    webUrl: "https://r.example/1"\n    quality: 7\n    updatedDateTime: [2026]', 0),
        ("title: R", 1),
        ("title: R\n    webUrl: ftp://r.example/1\n    publishedDateTime: [2026]", 2),
    ],
)
def test_a_related_entry_in_many_files_gives_the_same_result_in_each(entry: str, wrong: int) -> None:
    text = "---\ntitle: {}\npublishedDateTime: 2026-11-08\nlang: en\nrelated:\n  - {}\n---\n"
    reader = Reader(Config())
    for title in ("One", "Two", "Three"):
        source = Source(f"{title}.md", text.format(title, entry).encode())
        found, alone = reader.parse(source), Reader(Config()).parse(source)
        assert found == alone
        assert len(found.problems) == wrong
        assert isinstance(found.value, Article)
        assert [r.quality for r in found.value.related] == ([] if wrong else [7])
