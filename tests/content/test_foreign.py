"""Files that other generators wrote: their front matter, headers, field names, tables and pictures."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from sites import Site

from newsgen import config
from newsgen.config import Config
from newsgen.content import foreign
from newsgen.content import frontmatter as fm
from newsgen.content.fields import ArticleFile
from newsgen.content.parsed import Parsed
from newsgen.content.reader import Reader
from newsgen.content.source import Source
from newsgen.model import About, Article
from newsgen.validation import Faults

Make = Callable[..., Site]
ROOT = Path(__file__).parent.parent.parent


def parse(text: str | bytes, id: str = "2026-11-08-a.md", settings: Config | None = None) -> Parsed:
    return Reader(settings or Config()).parse(Source(id, text if isinstance(text, bytes) else text.encode()))


def article(text: str | bytes, id: str = "2026-11-08-a.md", settings: Config | None = None) -> Article:
    found = parse(text, id, settings)
    assert isinstance(found.value, Article), "\n".join(map(str, found.problems))
    assert not found.problems
    return found.value


def fields(text: str, id: str = "2026-11-08-a.md") -> Article:
    return article(f"---\ntitle: A\n{text}---\nBody\n", id)


def problems(text: str | bytes, id: str = "2026-11-08-a.md") -> list[str]:
    return [str(problem) for problem in parse(text, id).problems]


def warnings(site: Site) -> list[str]:
    return [str(warning) for warning in site.build().warnings]


# Openers and ends


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: A\n...\nBody\n",
        "---\ntitle: A\n... \nBody\n",
        "\ufeff---\ntitle: A\n---\nBody\n",
        "\ufeff\n---\r\ntitle: A\r\n---\r\nBody",
        "---yaml\ntitle: A\n---\nBody\n",
        "--- YAML \ntitle: A\n...\nBody\n",
        "---yml\ntitle: A\n---\nBody\n",
        '---toml\ntitle = "A"\n---\nBody\n',
        '---json\n{"title": "A"}\n---\nBody\n',
        '---json\n{\n  "title": "A"\n}\n---\nBody\n',
        '\ufeff{\n"title": "A"\n}\nBody\n',
        '\ufeff+++\ntitle = "A"\n+++\nBody\n',
        "title: A\n---\nBody\n",
        "\ntitle: A\n---\nBody\n",
        "Title: A\n\nBody\n",
        ".. title: A\n\nBody\n",
        "<!--\n.. title: A\n-->\n\nBody\n",
        "<!-- \n.. title: A\n\n--> \nBody\n",
        "\ufeffTitle: A\r\n\r\nBody",
    ],
)
def test_every_opener_end_and_header_is_read(text: str) -> None:
    document = fm.parse(text.encode())
    assert {foreign.fold(name): value for name, value in document.values.items()} == {"title": "A"}
    assert document.body == "Body"
    name = next(iter(document.values))
    line = fm.line(text.encode(), (name,))
    assert "A" in text.removeprefix("\ufeff").split("\n")[line - 1]


def test_the_first_end_counts_and_hyphens_or_dots_may_follow_in_the_body() -> None:
    assert fm.parse(b"---\na: 1\n---\nx\n...\ny").body == "x\n...\ny"
    assert fm.parse(b"---\na: 1\n...\nx\n---\ny").body == "x\n---\ny"
    assert fm.parse(b"---\ntitle: A\n---\n---\nBody").body == "---\nBody"
    assert fm.parse(b'---toml\na = "1"\nb = """\n...\n"""\n---\nx').values["b"] == "...\n"
    assert fm.parse(b"---\n...\nx") == fm.Document("yaml", {}, "x")


def test_a_header_of_hexo_is_yaml() -> None:
    text = b'title: "Hexo: A"\ndate: 2026-11-08 07:30:00\n# comment\n\ntags:\n- a\n- b\nmore: |\n  x: y\n---\nBody\n\n---\nmore\n'
    document = fm.parse(text)
    assert document.format == "yaml"
    assert document.values["tags"] == ["a", "b"]
    assert document.body == "Body\n\n---\nmore"
    assert fm.line(text, ("tags", 1)) == 7


def test_a_header_of_pelican_is_text_up_to_a_blank_line() -> None:
    text = b"Title: 12:30\nDate: 2026-11-08 10:20\nSummary: One\n    two: three\nCategory:\nTags: a, b\n\nNote: body\n\n---\n"
    document = fm.parse(text)
    assert document.format == "header"
    assert document.values == {
        "Title": "12:30",
        "Date": "2026-11-08 10:20",
        "Summary": "One\ntwo: three",
        "Tags": "a, b",
    }
    assert document.body == "Note: body\n\n---"
    assert fm.line(text, ("Tags", 1)) == 6


@pytest.mark.parametrize(
    "text",
    [
        "Note: this text has a colon.\n\nBody\n",
        "Note: this text has a colon.\nTitle is missing\n---\nBody\n",
        "Warning: a heading\n---\nBody\n",
        "title without a colon\n---\n",
        "Title: A\nand then prose.\n\nBody\n",
        "Title:\nDate: 2026-11-08\n\nBody\n",
        "... title: A\n\nBody",
        ".. figure:: a.png\n\nBody",
        "<!-- a comment -->\nTitle: A\n",
        "<!--\nTitle: A\n-->\n",
        "https://wire.example/a\n",
        "# title: A\n\nBody",
        ":" * 1_000_000,
        "a:\n" * 300_000,
        "a: " * 300_000,
        ".. " * 300_000,
        "<!--\n" + ".. a: b\n" * 100_000,
    ],
)
def test_a_text_without_a_title_in_its_header_has_no_front_matter(text: str) -> None:
    started = time.process_time()
    with pytest.raises(fm.FrontMatterError, match="no front matter"):
        fm.parse(text.encode())
    assert fm.line(text.encode(), ("title",)) == 1
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("---json\n{}\n", 1, "not closed", "a line with ---"),
        ("---toml\na = 1\n+++\n", 1, "not closed", "a line with ---"),
        ("---toml\na = 1\n...\n", 1, "not closed", "a line with ---"),
        ("<!--\n.. title: A\n\nBody\n", 1, "not closed", "a line with -->"),
        ("---js\n{ title: 'A' }\n---\n", 1, "front matter in 'js' is not supported", "YAML, TOML or JSON"),
        ("---json\ntitle: A\n---\n", 2, "invalid JSON", "double quotes"),
        ("---json\n[1]\n---\n", 2, "a list", "name: value"),
        ("---json\n" + "[" * 60 + "]" * 60 + "\n---\n", 2, "nested more than 50", "fewer"),
        ('---json\n{"a": 1,\n"a": 2}\n---\n', 3, "duplicate field", "keep one"),
        ('---json\n{"a": "\x00"}\n---\n', 2, "invalid JSON", ""),
        ("---toml\ntitle: A\n---\n", 2, "invalid TOML", ""),
        ('---toml\na = "\x00"\n---\n', 2, "invalid TOML", ""),
        ("---yaml\n- a\n---\n", 2, "a list", "name: value"),
        ("---yaml\na: \x00\n...\n", 2, "U+0000", "remove it"),
        ("title: A\nb: \x00\n---\n", 2, "U+0000", "remove it"),
        ("title: A\nb: c: d\n---\n", 2, "a second `: `", "quotes"),
        ("title: A\ntitle: B\n---\n", 2, "duplicate field", "keep one"),
        ("Title: A\nB: \x00\n\n", 2, "U+0000", "remove it"),
        ("Title: A\nDate: 1\nDate: 2\n\n", 3, "duplicate field", "keep one"),
        ("<!--\n.. title: A\n.. b: \x07\n-->\n", 3, "U+0007", "remove it"),
        ("Title: " + "x" * fm.MAX_BYTES + "\n\nBody", 1, "longer than 256 KB", "below"),
        ("title: " + "x" * fm.MAX_BYTES + "\n---\nBody", 1, "longer than 256 KB", "below"),
        ("---json\n" + "é" * fm.MAX_BYTES + "\n---\n", 1, "longer than 256 KB", "below"),
        ("\ufeff" + "---\na: 1\nb\n---\n", 3, "neither a field", ""),
    ],
)
def test_malformed_openers_and_headers_are_errors(text: str, line: int, what: str, hint: str) -> None:
    with pytest.raises(fm.FrontMatterError) as caught:
        fm.parse(text.encode())
    assert (caught.value.line, what in caught.value.what, hint in caught.value.hint) == (line, True, True), caught.value


# Whole files of other generators


def test_a_file_of_jekyll() -> None:
    found = article(
        "---\nlayout: post\ntitle: J\ndate: 2026-11-08 07:30:00 -0500\ncategories: a b\ntags: [x]\npermalink: /custom/path/\n"
        "redirect_from:\n  - /old/\nlast_modified_at: 2026-11-10\nimage: {path: /assets/x.png, alt: Dawn}\n---\nBody\n"
    )
    assert found.published == datetime(2026, 11, 8, 12, 30, tzinfo=UTC)
    assert found.updated is not None
    assert (found.category, found.topics, found.aliases) == ("a", ("x", "b"), ("/old/",))
    assert (found.images[0].url, found.images[0].title) == ("/assets/x.png", "Dawn")


def test_a_file_of_zola() -> None:
    found = article(
        '+++\ntitle = "Z"\ndate = 2026-11-08\n[taxonomies]\ntags = ["rust", "web"]\ncategories = ["Tools"]\n'
        '[extra]\nlink = "https://ext.example/z"\ncolour = "red"\nsecured = "c2Vj"\nquality = "high"\npin = true\n+++\nBody\n'
    )
    assert (found.url, found.topics, found.category) == ("https://ext.example/z", ("rust", "web"), "Tools")
    assert found.extra == (("extra", (("colour", "red"), ("pin", True), ("quality", "high"))),)
    assert found.pin is None


def test_a_file_of_hugo() -> None:
    found = article(
        '+++\nTitle = "H"\nDate = 2026-11-08T07:30:00Z\nLastMod = 2026-11-09T07:30:00Z\nTags = ["a"]\nDraft = true\n'
        '[params]\nsource = "x"\ndescription = "D"\n[cover]\nimage = "/c.png"\nalt = "Alt"\ncaption = "Cap"\n+++\nBody\n'
    )
    assert (found.title, found.topics, found.draft, found.excerpt) == ("H", ("a",), True, "D")
    assert (found.images[0].url, found.images[0].title) == ("/c.png", "Alt")
    assert found.extra == (("params", (("source", "x"),)),)


def test_an_entry_of_a_table_counts_only_where_the_field_is_absent() -> None:
    found = fields("description: Top\ntags: [top]\nextra: {description: E, tags: [e]}\nparams: {title: P, lang: de}\n")
    assert (found.title, found.excerpt, found.topics, found.lang) == ("A", "Top", ("top",), "de")


def test_a_draft_in_a_table_is_a_draft() -> None:
    assert fields("extra: {draft: true}\n").draft


def test_a_file_of_mkdocs() -> None:
    found = article(
        "---\ntitle: M\ndate:\n  created: 2026-11-08\n  updated: 2026-11-09\ncategories: [News, Tools]\n---\nx\n",
        "a.md",
    )
    assert (found.published, found.updated) == (datetime(2026, 11, 8, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC))
    assert found.extra == ()


def test_a_file_of_pelican() -> None:
    found = article(
        "Title: Pelican post\nDate: 2026-11-08 10:20\nModified: 2026-11-09 10:20\nCategory: Python\nTags: pelican; a, b\nSlug: s\n"
        "Status: draft\nQuality: 80\nSummary: Short\n\nBody of pelican.\n",
        "a.md",
    )
    assert (found.title, found.published) == ("Pelican post", datetime(2026, 11, 8, 10, 20, tzinfo=UTC))
    assert (found.category, found.topics, found.excerpt) == ("Python", ("pelican", "a, b"), "Short")
    assert (found.draft, found.quality) == (True, 80)


@pytest.mark.parametrize("start", ["", "<!--\n"])
def test_a_file_of_nikola(start: str) -> None:
    lines = ".. title: N\n.. slug: n\n.. date: 2026-11-08 10:00:00\n.. tags: a, b\n.. link: https://x.example/1\n.. type: text\n.. draft: true\n"
    found = article(start + lines + (start and "-->\n") + "\nBody.\n", "a.md")
    assert (found.title, found.topics, found.url, found.type) == ("N", ("a", "b"), "https://x.example/1", "article")
    assert found.draft
    assert found.body == "<p>Body.</p>"


@pytest.mark.parametrize(("zone", "hour"), [("", 10), (" UTC", 10), (" UTC+01:00", 9), (" +01:00", 9)])
def test_a_time_of_nikola_has_its_zone(zone: str, hour: int) -> None:
    assert article(f".. title: N\n.. date: 2026-11-08 10:00:00{zone}\n\nBody", "a.md").published.hour == hour


def test_a_file_exported_from_wordpress_is_an_own_post() -> None:
    found = fields(
        "layout: post\nlink: https://news.example/2026/11/08/a/\nwordpress_id: 7\ntype: post\nstatus: publish\n"
    )
    assert (found.url, found.type, found.draft) == ("", "article", False)


def test_a_link_to_the_site_itself_is_not_the_publishers() -> None:
    settings = Config(base_url="https://wire.example/news/")
    text = "---\ntitle: A\nurl: https://www.wire.example/news/2026/11/08/a/\n---\n"
    assert article(text, settings=settings).url == ""
    assert article(text).url == "https://www.wire.example/news/2026/11/08/a/"


@pytest.mark.parametrize(
    ("text", "id", "day"),
    [
        ('path = "2014/12/12/1.0-Timeline"\n', "a.md", (2014, 12, 12)),
        ('path = "inside/2019/09/25/x"\n', "a.md", (2019, 9, 25)),
        ('permalink = "/2019/09/25/x.html"\n', "a.md", (2019, 9, 25)),
        ("", "2021/09/15/x.md", (2021, 9, 15)),
        ("", "blog/2021/09/15/x/index.md", (2021, 9, 15)),
        ("", "blog/2021-09-15/x.md", (2021, 9, 15)),
        ("", "2021-9-15-x.md", (2021, 9, 15)),
        ("", "blog/2021/9/15/x.md", (2021, 9, 15)),
        ("", "blog/2021-09-15-ferry/part.md", (2021, 9, 15)),
        ("", "blog/2021/09-15-x.md", (2021, 9, 15)),
        ("", "blog/2021/09-15/x.md", (2021, 9, 15)),
        ("", "2021-09-15-ferry/index.pl.md", (2021, 9, 15)),
        ("pubDate = 'Sep 15 2021'\n", "a.md", (2021, 9, 15)),
        ("publishDate = 2026-11-08\n", "a.md", (2026, 11, 8)),
        ("pubDate = 2026-11-08\n", "a.md", (2026, 11, 8)),
        ("pubDatetime = 2026-11-08\n", "a.md", (2026, 11, 8)),
        ("created = 2026-11-08\n", "a.md", (2026, 11, 8)),
        ("createdOn = '2026-11-08T07:30:00.000Z'\n", "a.md", (2026, 11, 8)),
        ("created_at = 2026-11-07\npublishedOn = 2026-11-08\n", "a.md", (2026, 11, 8)),
    ],
)
def test_the_date_is_found_where_other_generators_have_it(text: str, id: str, day: tuple[int, int, int]) -> None:
    assert article(f'+++\ntitle = "A"\n{text}+++\n', id).published.date() == date(*day)


def test_a_missing_date_is_asked_about_where_an_unknown_field_holds_one() -> None:
    assert problems("---\ntitle: A\nauthor: B\nfecha: 2026-11-08\n---\n", "a.md") == [
        "content/a.md:1: publishedDateTime: missing; is it 'fecha'? rename that field, or add its name to publishedDateTime in "
        "[fields] in site.toml"
    ]
    for value in ("12", "2026", "soon", "[2026-11-08]", "''"):
        (problem,) = problems(f"---\ntitle: A\nfecha: {value}\n---\n", "a.md")
        assert "missing; set it, or begin the file name with the date" in problem
    settings = msgspec.convert({"fields": {"publishedDateTime": ["fecha"]}}, Config)
    assert article("---\ntitle: A\nfecha: 2026-11-08\n---\n", "a.md", settings).published.date() == date(2026, 11, 8)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("language: ar\n", "ar"),
        ("locale: pt_BR\n", "pt-BR"),
        ("language: Arabic\nlocale: ar\n", "ar"),
        ("lang: he\nlanguage: ar\n", "he"),
        ("language: [ar]\n", ""),
    ],
)
def test_the_language_has_other_names(text: str, lang: str) -> None:
    assert fields(text).lang == lang


@pytest.mark.parametrize(
    ("id", "slug", "lang"),
    [
        ("ferry/index.md", "ferry", ""),
        ("2026-11-8-ferry.md", "ferry", ""),
        ("ferry/index.pl.md", "ferry-pl", "pl"),
        ("2026-11-08-ferry/index.pt-br.md", "ferry-pt-br", "pt-br"),
        ("2026-11-08-ferry.zh_cn.md", "ferry-zh-cn", "zh-cn"),
        ("ferry.ja.md", "ferry-ja", "ja"),
        ("node.ts.md", "node-ts", ""),
        ("socket.io.md", "socket-io", ""),
        ("version-1.0.md", "version-1-0", ""),
    ],
)
def test_a_language_in_a_name_is_that_of_the_article(id: str, slug: str, lang: str) -> None:
    found = article("---\ntitle: A\ndate: 2026-11-08\n---\n", id)
    assert (found.slug, found.lang) == (slug, lang)
    assert article("---\ntitle: A\ndate: 2026-11-08\nlang: nl\n---\n", id).lang == "nl"


@pytest.mark.parametrize(
    ("body", "title", "rest"),
    [
        ("# Fares *rise* & `Option<T>` \n\nText.", "Fares rise & Option<T>", "<p>Text.</p>"),
        ("# Fares rise {#fares}\nText.", "Fares rise", "<p>Text.</p>"),
        ("Fares rise\n==========\n\n    code", "Fares rise", "<pre><code>code\n</code></pre>"),
        ("# Fish &amp;amp; chips", "Fish &amp; chips", ""),
        ("# [Fares](/x/) rise\n\n# More", "Fares rise", '<h2 id="h-more">More</h2>'),
    ],
)
def test_without_a_title_the_first_heading_is_the_title(body: str, title: str, rest: str) -> None:
    found = article(f"---\ndate: 2026-11-08\n---\n\n{body}\n", "a.md")
    assert (found.title, found.body) == (title, rest)
    assert article(f"---\ndate: 2026-11-08\ntitle: Own\n---\n{body}\n", "a.md").title == "Own"


@pytest.mark.parametrize(
    "body", ["", "Text.\n\n# Late", "## Second level", "#tag", "# ", "# ![](/a.png)", "- item\n===="]
)
def test_other_bodies_give_no_title(body: str) -> None:
    problems = Reader(Config()).parse(Source("a.md", f"---\ndate: 2026-11-08\n---\n{body}".encode())).problems
    assert [(p.field, p.what) for p in problems] == [("title", "missing")]


def test_categories_of_hexo_may_be_paths() -> None:
    found = fields("categories:\n- [Sport, Rowing]\n- Diary\ntags: [a]\n")
    assert (found.category, found.topics) == ("Sport", ("a", "Rowing", "Diary"))


# Names


@pytest.mark.parametrize("name", ["Draft", "DRAFT"])
def test_a_gate_counts_in_any_case(name: str) -> None:
    assert fields(f"{name}: true\n").draft


@pytest.mark.parametrize(
    "name", ["ExpiryDate", "expirydate", "expiry_date", "expiry-date", "EXPIRYDATE", "unpublishdate"]
)
def test_field_names_are_compared_without_case_hyphens_and_underscores(name: str) -> None:
    assert fields(f"{name}: 2027-01-01T00:00:00Z\n").expires == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["WebURL", "web_url", "external-url", "externalUrl", "external_link", "Link", "URL"])
def test_the_address_has_many_names(name: str) -> None:
    assert fields(f"{name}: https://a.example/1\n").url == "https://a.example/1"


@pytest.mark.parametrize("name", ["lastmod", "updated", "modified", "Modified", "last_modified_at", "updatedDate"])
def test_the_update_has_many_names(name: str) -> None:
    assert fields(f"{name}: 2026-11-09T10:00:00Z\n").updated == datetime(2026, 11, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize("name", ["image", "heroImage", "hero_image", "cover", "coverImage", "featured_image"])
@pytest.mark.parametrize(
    "value", ["/a.png", "{src: /a.png, alt: Dawn}", "{image: /a.png, caption: Dawn, relative: false}"]
)
def test_pictures_have_many_names_and_forms(name: str, value: str) -> None:
    found = fields(f"{name}: {value}\n").images[0]
    assert (found.url, found.title) == ("/a.png", "Dawn" if "{" in value else "")


def test_pictures_in_our_own_list_may_have_other_names_for_their_parts() -> None:
    found = fields("images: [{src: /a.png, alt: Dawn, width: 5}, /b.png, {url: /c.png, title: T, alt: no}]\n").images
    assert [(i.url, i.title, i.width) for i in found] == [("/a.png", "Dawn", 5), ("/b.png", "", 0), ("/c.png", "T", 0)]


@pytest.mark.parametrize("value", ["false", "true", "{alt: x}", '""', "{color: red}", "[]"])
def test_a_cover_that_is_no_picture_is_left_alone(value: str) -> None:
    assert fields(f"cover: {value}\n").images == ()


def test_a_picture_that_cannot_be_shown_is_an_error_with_the_name_in_the_file() -> None:
    (problem,) = problems("---\ntitle: A\nheroImage: ./hero.heic\n---\n")
    assert problem.startswith("content/2026-11-08-a.md:3: heroImage: './hero.heic'")
    (problem,) = problems('+++\ntitle = "A"\n[cover]\nimage = "x.tiff"\n+++\n')
    assert problem.startswith("content/2026-11-08-a.md:3: cover: 'x.tiff'")


def test_an_exact_spelling_takes_precedence_and_two_spellings_are_one_error() -> None:
    (problem,) = problems("---\ntitle: A\nTitle: B\n---\n")
    assert problem.startswith("content/2026-11-08-a.md:2: title: the file has it twice, as 'title' and as 'Title'")
    (problem,) = problems("---\ntitle: A\nDraft: true\nDRAFT: false\n---\n")
    assert "DRAFT" in problem
    assert "'Draft'" in problem
    (problem,) = problems("---\ntitle: A\ndate: 2026-11-08\nDate: 2026-11-09\n---\n")
    assert problem.startswith("content/2026-11-08-a.md:3: date: the file has it twice, as 'date' and as 'Date'")
    values = {"title": "A", "Title": "B"}
    foreign.Translator(config.Fields(), ArticleFile).translate(values, {}, Faults())
    assert values == {"title": "A"}


def test_the_first_name_of_the_table_takes_precedence_and_the_others_are_no_error() -> None:
    found = fields("created: 2026-11-01\ndate: 2026-11-08\nPubDate: 2026-11-02\nsummary: S\ndescription: D\n")
    assert (found.published.day, found.excerpt) == (8, "D")


def test_site_toml_can_name_fields_in_any_spelling() -> None:
    settings = msgspec.convert({"fields": {"excerpt": ["deck-text"], "publishDate": ["embargo"]}}, Config)
    found = article("---\ntitle: A\nDeckText: D\nsummary: S\n---\n", settings=settings)
    assert found.excerpt == "D"


def test_empty_values_of_other_generators_count_as_absent() -> None:
    found = fields('link: ""\nimage: ""\ntags: []\nlastmod: ""\ndescription: ""\nsummary: S\n')
    assert (found.url, found.images, found.updated, found.excerpt) == ("", (), None, "S")


@pytest.mark.parametrize("name", ["secured", "Secured", "SECURED"])
def test_a_secured_field_is_dropped_in_any_case(name: str) -> None:
    assert "c2VjcmV0" not in repr(fields(f"{name}: c2VjcmV0\nextra: {{{name}: c2VjcmV0}}\n"))
    (problem,) = problems(f"---\ntitle: A\n{name}: {{c2VjcmV0: 1, c2VjcmV0: 2}}\n---\n")
    assert "c2VjcmV0" not in problem


# Gates


@pytest.mark.parametrize(
    "text",
    ["status: draft", "Status: Private", "visibility: members", "private: true", "unlisted: true", "password: x", "status: pending",
     "isDraft: true", "is_draft: yes", "wip: true", "unpublished: true", "isPublished: false"],
)  # fmt: skip
def test_what_other_generators_keep_from_readers_is_a_draft(text: str) -> None:
    assert fields(text + "\n").draft
    assert fields(f"draft: false\n{text}\n").draft


@pytest.mark.parametrize("text", ["status: published", "visibility: public", "private: false", "status: developing"])
def test_what_they_show_is_not(text: str) -> None:
    assert not fields(text + "\n").draft


@pytest.mark.parametrize("name", ["publish", "dg-publish", "Published"])
def test_a_note_that_is_not_to_be_published_is_held(name: str) -> None:
    assert fields(f"{name}: false\n").held
    assert not fields(f"{name}: true\n").held


def test_a_note_that_is_not_to_be_published_is_held_whatever_else_it_says() -> None:
    assert fields("published: true\npublish: false\n").draft


@pytest.mark.parametrize("value", ["2026-11-01", "2026-11-01T10:00:00Z", '"2026-11-01 10:00"'])
@pytest.mark.parametrize("name", ["published", "Published", "publish"])
def test_a_date_in_the_place_of_a_gate_is_an_error_that_names_the_field_for_dates(name: str, value: str) -> None:
    (problem,) = problems(f"---\ntitle: A\n{name}: {value}\n---\n")
    assert problem.startswith(f"content/2026-11-08-a.md:3: {name}: '2026-11-01")
    assert problem.endswith("is a date; write it as publishedDateTime")


# Lists


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("layout: post\ntags: a b\n", ("a", "b")),
        ("cssclasses:\ncssclass: x\ntags: a b\n", ("a", "b")),
        ("tags: Machine Learning\n", ("Machine Learning",)),
        ("layout: post\ntopics: Machine Learning\n", ("Machine Learning",)),
        ("keywords: [a, b]\n", ("a", "b")),
        ("tags: [x]\nkeywords: [a, b]\n", ("x",)),
    ],
)
def test_text_of_tags_is_split_at_spaces_where_jekyll_and_obsidian_do(text: str, topics: tuple[str, ...]) -> None:
    assert fields(text).topics == topics


def test_other_titles_are_not_addresses() -> None:
    found = problems("---\ntitle: A\naliases: [/old/, Other name, NASA]\n---\n")
    assert [p.split(": ")[1] for p in found] == ["aliases[1]", "aliases[2]"]
    assert "is a title, not an address" in found[0]


# Warnings


def test_fields_of_other_generators_get_no_warning(site: Make) -> None:
    names = sorted(
        {name for row in foreign.IGNORED.values() for name in row.split()} - {"extra", "params", "taxonomies"}
    )
    known = [*names, *config.Fields().by_foreign_name()]
    rows = "".join(
        f"-- content/{i}.md --\n---\ntitle: A\npublishedDateTime: 2026-11-08\n{n}:\n  a: 1\n---\n"
        for i, n in enumerate(names)
    )
    assert warnings(site(rows)) == []
    assert all(foreign.is_known(name, config.Fields(excerpt=())) for name in known)


def test_other_unknown_fields_get_one(site: Make) -> None:
    (warning,) = warnings(site("-- content/a.md --\n---\ntitle: A\ndate: 2026-11-08\nqualty: 1\nlayout: x\n---\n"))
    assert "qualty: unknown field, kept in `extra`; did you mean 'quality'?" in warning


def test_the_docs_name_every_ignored_field_and_every_value_that_holds() -> None:
    docs = (ROOT / "docs/content.md").read_text(encoding="utf-8")
    for tool, names in foreign.IGNORED.items():
        row = next(line for line in docs.splitlines() if line.startswith(f"| {tool} |"))
        assert row.count("`") == 2 * len(names.split()), tool
        assert all(f"`{name}`" in row for name in names.split()), tool
    for name, values in foreign.HELD.items():
        row = next(line for line in docs.splitlines() if line.startswith(f"| `{name}` |"))
        assert all(f"`{value}`" in row for value in values.split())


# Files that are no articles, and hostile ones


def test_about_files_may_use_other_spellings_too() -> None:
    found = parse(
        "---\nTitle: About us\nredirect_from: /about.html\nImage: {src: /a.png}\n---\nx\n", "_pages/about.md"
    ).value
    assert isinstance(found, About)
    assert (found.title, found.aliases) == ("About us", ("/about.html",))
    assert found.image
    assert found.image.url == "/a.png"
    story = parse("---\nname: N\nsummary: S\n---\n", "_stories/s.md").value
    assert isinstance(story, About)
    assert story.description == "S"


ODD = [
    "1",
    "true",
    "[]",
    "[[1]]",
    "{}",
    "{a: {b: [1]}}",
    "[{}]",
    "2026-11-08",
    "''",
    "x",
    "[x, 1, {a: b}]",
    "'//'",
    "1e400",
    "~",
]


@pytest.mark.parametrize(
    "name", [*config.Fields().by_foreign_name(), "extra", "params", "taxonomies", *foreign.HELD, "password"]
)
def test_no_value_of_a_foreign_field_raises(name: str) -> None:
    for value in ODD:
        for text in (f"{name}: {value}\n", f"extra: {{{name}: {value}}}\n", f"date: {{{name}: {value}}}\n"):
            assert parse(f"---\ntitle: A\n{text}---\n")
        assert parse(f"Title: A\n{name}: {value}\n\nBody")
