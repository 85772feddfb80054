import contextlib
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsgen.content.markup import Markup, TooDeepError, player

HOSTS = ("www.youtube.com", "player.vimeo.com")


def test_markdown_becomes_html() -> None:
    html = Markup().markdown("Some *words*.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<em>words</em>" in html
    assert "<li>one</li>" in html
    assert "<td>2</td>" in html


_FRAGMENTS = st.sampled_from(
    ["a", "b c", " ", "    ", "\t", "\n", "\n\n", *"`~\\[]()<>&|#=-_*+.:;!\"'1/", "```", "~~~\nx\n~~~", "---", "===", "1. ", "- ", "* ", "> ", "## ",
     "| a | b |\n|---|---|\n", "**", "__", "[x]: /y\n", "](/y)", "&amp;", "&copy ", "&#58;", "<b>", "</b>", "<div>", "<!--", "<a@b.example>",
     "<https://a.example>", "~~", "~", "[^1]", "[^1]: n\n", "https://b.example/", "www.c.example", "Www.", "d@e.example", "{: .x}", "- [x] ", "```py\n", "  - ",
     "<a href='x'>", "  \n", "\x02", "\x03", "é", "東",
     "[[a|b]]", "![[c.png]]", "%%", "\n%%\n"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(_FRAGMENTS, max_size=14).map("".join))
@example("Setext\n---")
@example("Setext\n===\n\n* a\n+ b\n- c\n\n***\n\n_x_ __y__ *z* **w**")
def test_skipping_markdown_processors_does_not_change_the_html(text: str) -> None:
    selective = Markup()
    complete = Markup()
    complete._cached_selection = lambda _: complete._select(complete._triggers)
    assert selective.markdown(text) == complete.markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&#58;alert(1))",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<svg onload=alert(1)>",
        "<iframe src='https://evil.example'></iframe>",
        "<style>*{display:none}</style>",
        "<form action='https://evil.example'><input name=a></form>",
        "<div style='position:fixed'>x</div>",
        "<a href='https://a.example' target=_blank onclick=x()>x</a>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    ],
)
def test_hostile_markup_is_sanitised(text: str) -> None:
    html = Markup().markdown(text).lower()
    for bad in (
        "<script",
        "onerror",
        "javascript:",
        "data:",
        "<svg",
        "onload",
        "<iframe",
        "<style",
        "<form",
        "style=",
        "onclick",
        "target=",
    ):
        assert bad not in html


def test_headings_start_at_h2_and_skip_no_level() -> None:
    html = Markup().markdown("# One\n\n#### Two\n\n## Three\n\n# Four")
    assert re.findall("<(h[0-9])[^>]*>([A-Z][a-z]+)", html) == [
        ("h2", "One"),
        ("h3", "Two"),
        ("h3", "Three"),
        ("h2", "Four"),
    ]


def test_links_on_the_site_get_the_path_of_the_base_url() -> None:
    html = Markup("/news/").markdown("[a](/about/) ![b](/demo/x.svg) [c](https://c.example/) [d](//d.example/)")
    assert 'href="/news/about/"' in html
    assert 'src="/news/demo/x.svg"' in html
    assert 'href="https://c.example/"' in html
    assert 'href="//d.example/"' in html


def test_a_space_in_a_url_is_escaped() -> None:
    html = Markup().markdown("![x](<https://a.example/b c.png?d=e f>) [y](<https://a.example/%20 g>)")
    assert 'src="https://a.example/b%20c.png?d=e%20f"' in html
    assert 'href="https://a.example/%20%20g"' in html


def test_pictures_can_be_disabled_and_urls_blocked() -> None:
    markup = Markup(images=False, blocked=lambda url: "bad" in url)
    html = markup.markdown("![x](https://a.example/x.png) [y](https://bad.example/)")
    assert "<img" not in html
    assert "bad.example" not in html


@pytest.mark.parametrize("text", ["[" * 20_000, "![a](" * 8_000, "<div>" * 100_000, "<div>\n" * 3_000])
def test_very_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(TooDeepError):
        Markup().markdown(text)


@pytest.mark.parametrize("text", ["a <b c <i d", "a `b c ``d e ```f", "a \\`b \\`c \\`d"])
def test_what_is_not_closed_is_bounded_by_its_number_times_the_length_of_the_body(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Markup().markdown(text)
    monkeypatch.setattr("newsgen.content.markup._MAX_SEARCHED", 15)
    with pytest.raises(TooDeepError):
        Markup().markdown(text)
    assert Markup().markdown("a <b>b</b> `c` ``d``")


@pytest.mark.parametrize(
    "element", ["`a` ", "*a* ", "[a](b) ", "<i>a</i> ", "https://a.example ", "a\\\n", "a  \n", "~~a~~ "]
)
def test_a_paragraph_with_very_many_elements_is_refused_at_once(element: str) -> None:
    started = time.process_time()
    with pytest.raises(TooDeepError, match="has a paragraph of"):
        Markup().markdown(element * 40_000)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "text", ["- [a](b) `c` *d*\n" * 5_000, "a_b [c] `d` *e* " * 3_000, f"```\n{'*a* `b` [c] <d>' * 9_000}\n```"]
)
def test_long_lists_paragraphs_and_code_are_not_refused(text: str) -> None:
    assert Markup().markdown(text)


def test_a_text_that_is_nested_too_deeply_does_not_affect_the_next_one() -> None:
    html = Markup()
    for depth in range(200, 420, 20):
        with contextlib.suppress(TooDeepError):
            html.markdown("\n".join("    " * n + "- x" for n in range(depth)))
        assert html.markdown("One.\n\nTwo.\n\n- a\n\n    b") == Markup().markdown("One.\n\nTwo.\n\n- a\n\n    b")


def test_tags_of_other_generators_are_found_in_linear_time_and_in_no_code() -> None:
    html = Markup()
    started = time.process_time()
    html.html("{{ first }} " + "<code></span>" * 20000 + " {{ second }}")
    assert time.process_time() - started < 10
    assert html.dropped == ["{{ first"]
    html.html("<pre><code>{% a1 %}</code> {% a2 %}</pre> {% a3 %} <code>{% a4 %}</code> {% a5 %} {% a3 %}")
    assert html.dropped == ["{% a3", "{% a5"]
    html.html("".join(f"{{% a{n} %}}" for n in range(1000)))
    assert len(html.dropped) == 50


def test_many_links_do_not_count_as_nesting() -> None:
    assert Markup().markdown("[a](https://a.example/(b)) " * 500).count("<a ") == 500


@pytest.mark.parametrize(
    ("html", "src"),
    [
        ('<iframe width="800" src="https://www.youtube.com/embed/abc"></iframe>', "https://www.youtube.com/embed/abc"),
        ("<iframe src='//player.vimeo.com/video/1'>", "https://player.vimeo.com/video/1"),
        ('<p>x<iframe src="http://www.youtube.com/embed/abc">', "https://www.youtube.com/embed/abc"),
        ('<iframe src="https://evil.example/?www.youtube.com">', ""),
        ('<iframe src="https://www.youtube.com@evil.example/">', ""),
        ('<iframe src="javascript:alert(1)//www.youtube.com">', ""),
        ("<script>alert(1)</script>", ""),
        ('<iframe src="https://www.youtube.com/&quot;onload=x">', ""),
        ("", ""),
    ],
)
def test_only_players_of_allowed_hosts_are_taken_from_foreign_html(html: str, src: str) -> None:
    assert player(html, HOSTS) == src
