"""Markdown as GitHub and Hugo read it, sanitised; and what is taken from bodies."""

import contextlib
import re
import time
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import Site

from newsgen.content.markup import Markup, TooDeepError, first_paragraph

Make = Callable[..., Site]


def render(text: str) -> str:
    return Markup().markdown(text)


def outline(text: str) -> str:
    """The blocks of a text without white space, attributes and the paragraphs of list items."""
    html = re.sub(r"<(\w+) [^>]*>", r"<\1>", render(text))
    html = re.sub(r"\s*(</?(?:p|ul|ol|li|blockquote|pre|h\d|hr)>)\s*", r"\1", html)
    return html.replace("<p>", "").replace("</p>", "")


def test_footnotes_link_to_ids_that_no_page_has() -> None:
    html = render("One[^1], two[^b c], one again[^1].\n\n[^b c]: Second.\n[^1]: First.")
    assert [i for i in re.findall(r'id="([^"]*)"', html) if not i.startswith("h-")] == []
    targets, ids = re.findall(r'href="#([^"]*)"', html), re.findall(r'id="([^"]*)"', html)
    assert len(ids) == len(set(ids)) == 5
    assert set(targets) == set(ids)
    assert html.index("First.") < html.index("Second.")  # in the order of the text


def test_strikethrough_bare_addresses_and_mail_are_marked_up() -> None:
    html = render("~~Old~~ https://bare.example/x_y_z), www.b.example. desk@c.example a~b~c C:\\x")
    assert "<del>Old</del>" in html
    assert '<a href="https://bare.example/x_y_z" rel="noopener">https://bare.example/x_y_z</a>)' in html
    assert 'href="http://www.b.example"' in html
    assert 'href="mailto:desk@c.example"' in html
    assert "a~b~c" in html


@pytest.mark.parametrize(
    ("text", "link", "after"),
    [
        ('[a]({{< ref "b.md" >}}). From "c" to ("d") e', ('{{< ref "b.md" >}}', None), '. From "c" to ("d") e'),
        ('[a]({{ "/b" | url }}#c "T") and ("d")', ('{{ "/b" | url }}#c', "T"), ' and ("d")'),
        ('[a]({% link b.md %}) ("d")', ("{% link b.md %}", None), ' ("d")'),
        ('[a](/b "T (t)") ("d")', ("/b", "T (t)"), ' ("d")'),
        ('[a](/b "say "hi" now") d', ("/b", 'say "hi" now'), " d"),
    ],
)
def test_a_link_takes_no_text_behind_it(text: str, link: tuple[str, str | None], after: str) -> None:
    found = re.fullmatch(r'<p><a href="([^"]*)"(?: title="([^"]*)")? rel="noopener">a</a>(.*)</p>', render(text))
    assert found
    assert (unescape(found[1]), found[2] and unescape(found[2]), unescape(found[3])) == (*link, after)


@pytest.mark.parametrize("attributes", ["{.lead}", '{target="_blank" .x #y}', "{.dark:x.max-w-[700px]}", "{: .lead}"])
def test_attributes_behind_a_link_picture_or_code_are_dropped(attributes: str) -> None:
    for before in ("[a](/b)", "![a](/b.png)", "`a`"):
        assert render(f"{before}{attributes} c") == render(f"{before} c")


def test_other_braces_stay() -> None:
    for text in ("`a`{b}", "[a](/b){}", "`a`{id: 20}", "a{.b}"):
        assert render(text).endswith(text[text.index("{") :] + "</p>")


def test_what_is_no_link_stays() -> None:
    assert unescape(render('[a](b "c" d) and more ("e") f')) == '<p>[a](b "c" d) and more ("e") f</p>'


def test_a_backslash_at_the_end_of_a_line_breaks_it() -> None:
    html = render("Hall 3\\\nQuay Road 8\\\n**Oldport**\n\n- Tide: *low* \\\n  then high")
    assert "<p>Hall 3<br>\nQuay Road 8<br>\n<strong>Oldport</strong></p>" in html
    assert "<em>low</em> <br>\nthen high" in html
    assert "<br>" not in render("`a\\\nb` c\\\\\nd\n\nA path ends in \\\n\nNext")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "<div>\n\n**a**\n\n- b\n\n</div>\n\n*c*",
            "<div><p><strong>a</strong></p><ul><li>b</li></ul></div><p><em>c</em></p>",
        ),
        ("<details>\n<summary>More</summary>\n\n1. a\n\n</details>\n*b*", "More<ol><li>a</li></ol><p><em>b</em></p>"),
        (
            '<div markdown="1">\n**a**\n- b\n</div>\n*c*',
            "<div><p><strong>a</strong></p><ul><li>b</li></ul></div><p><em>c</em></p>",
        ),
        ("a\n<div>\n\n**b**\n</div>\n*c*", "<p>a</p><div><p><strong>b</strong></p></div><p><em>c</em></p>"),
        (
            "- a\n\n  <div>\n\n  **b**\n\n  </div>\n- c",
            "<ul><li><p>a</p><div><p><strong>b</strong></p></div></li><li><p>c</p></li></ul>",
        ),
        ("> <div>\n>\n> *a*\n>\n> </div>", "<blockquote><div><p><em>a</em></p></div></blockquote>"),
        ("  <blockquote>\n\n> a\n\n</blockquote>", "<blockquote><blockquote><p>a</p></blockquote></blockquote>"),
        # HTML as it is: up to a blank line, in pre, and indented in an element that is open.
        ("<div>\n*a*\n</div>\n*b*", "<div>*a*</div><p><em>b</em></p>"),
        ("<div><pre>\na\n\n*b*\n</pre></div>\n*c*", "<div><pre>a*b*</pre></div><p><em>c</em></p>"),
        ("<ul>\n\n    <li>a</li>\n\n</ul>\n\n    b", "<ul><li>a</li></ul><pre><code>b</code></pre>"),
        ('<div title="\n x\n">a</div> *b*', "<div>a</div><p><em>b</em></p>"),
        ("<div>\n</ul>\n</div>\n\n*a*", "<div></div><p><em>a</em></p>"),
        ("<divan>\n\n*a*", "<p><em>a</em></p>"),
    ],
)
def test_html_ends_with_a_blank_line_and_what_follows_is_markdown(text: str, html: str) -> None:
    assert re.sub(r"\s*\n\s*", "", render(text)) == html


@pytest.mark.parametrize(
    "text", ["</div>\n\n", "<div>\n\n</div>\n\n", "<table>\n<tr><td>a\n</table>\n", "<div><pre>\n\n", "<ul\n"]
)
def test_much_html_takes_linear_time(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TooDeepError):
        render(text * 10_000)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", ["title", "textarea", "iframe", "script", "style", "plaintext", "TITLE"])
def test_a_tag_that_is_not_closed_takes_no_text_with_it(name: str) -> None:
    markup = Markup()
    html = markup.markdown(f"The <{name}> tag is **old**.\n\n```\n<{name}>x</{name}>\n```\n\n- More")
    assert f"<p>The &lt;{name}&gt; tag is <strong>old</strong>.</p>" in html
    assert "<li>More</li>" in html
    assert markup.dropped == []


def test_an_address_inside_an_html_link_is_not_linked_again() -> None:
    html = render('See <a href="https://a.example/long">https://a.example</a>.')
    assert html.count("<a ") == 1
    assert 'href="https://a.example/long"' in html


def test_tasks_are_text_that_needs_no_form() -> None:
    html = render("- [x] done\n- [ ] open\n- [z] no task\n\n1. [X] done too")
    assert '<li class="task">☑ done</li>' in html
    assert '<li class="task">☐ open</li>' in html
    assert "<li>[z] no task</li>" in html
    assert "☑ done too" in html


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("- a\n  - b\n    - c\n- d", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"),
        ("1. a\n   - b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        ("1. a\n    - b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        ("- a\n\t- b", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("- a\n  - b\n1. c", "<ul><li>a<ul><li>b</li></ul></li></ul><ol><li>c</li></ol>"),
        ("Text:\n- a\n- b", "Text:<ul><li>a</li><li>b</li></ul>"),
        ("The year was\n1986. A great year.", "The year was\n1986. A great year."),
        ("1) a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("- a\n\n  para\n\n  - b\n\n    c\n- d", "<ul><li>apara<ul><li>bc</li></ul></li><li>d</li></ul>"),
        ("- a\n  > q\n- b", "<ul><li>a<blockquote>q</blockquote></li><li>b</li></ul>"),
        ("> - a\n>   - b\n\nc", "<blockquote><ul><li>a<ul><li>b</li></ul></li></ul></blockquote>c"),
        ("- a\nlazy\n- b", "<ul><li>a\n    lazy</li><li>b</li></ul>"),
        ("* * *\n- - -", "<hr><hr>"),
        ("- a\n---\n- b", "<ul><li>a</li></ul><hr><ul><li>b</li></ul>"),
        ("#hashtag", "#hashtag"),
    ],
)
def test_lists_nest_as_in_commonmark(text: str, blocks: str) -> None:
    assert outline(text) == blocks


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("- a\n  ```\n  x\n    y\n  ```\n- b", "<ul><li>a<pre><code>x\n  y\n</code></pre></li><li>b</li></ul>"),
        ("- ```\n  x\n  ```", "<ul><li><pre><code>x\n</code></pre></li></ul>"),
        ("> ```\n> - [ ] x\n> ```\nafter", "<blockquote><pre><code>- [ ] x\n</code></pre></blockquote>after"),
        ("Text\n```\ncode\n```\nmore", "Text<pre><code>code\n</code></pre>more"),
        ("````\n```\n````", "<pre><code>```\n</code></pre>"),
        ("```\n<b>&\n", "<pre><code>&lt;b&gt;&amp;\n</code></pre>"),
        ("`` a ``` b ``", "<code>a ``` b</code>"),
        ("    - a\n      - b", "<pre><code>- a\n  - b\n</code></pre>"),
        ("<pre>\n- a\n  - b\n</pre>", "<pre>- a\n  - b</pre>"),
    ],
)
def test_code_stays_as_it_is_written(text: str, blocks: str) -> None:
    assert outline(text) == blocks


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        (" c++ {1,3}", "c++"),
        ("{.js}", "js"),
        ('py title="x"', "py"),
        ('"><script', None),
        ("", None),
    ],
)
def test_fenced_code_has_its_language_as_a_class(info: str, language: str | None) -> None:
    html = render(f"```{info}\nx\n```")
    assert (re.findall('class="language-(.*?)"', html) or [None]) == [language]


def test_only_our_classes_and_ids_come_out() -> None:
    html = Markup().html(
        '<p id="main" class="skip">a</p><code class="x language-a b">c</code><code class="language-<b>">d</code>'
        '<li id="fn:1">e</li><li id="fn:1">f</li><div class="masthead" id="fn:2">g</div><h2 id="Main">h</h2>'
    )
    assert re.findall(r'(?:id|class)="[^"]*"', html) == ['class="language-a"', 'id="h-fn:1"', 'id="h-main"']


@pytest.mark.parametrize(
    ("heading", "id"),
    [
        ("The end", "the-end"),
        ("What's *new*, here & now?", "whats-new-here--now"),
        ("Größe", "größe"),
        ("हिन्दी समाचार", "हिन्दी-समाचार"),
        ("`snake_case` 1.0", "snake_case-10"),
        ("Custom {#my-id}", "my-id"),
        ("Custom {: .wide #my-id }", "my-id"),
        ("Custom {id=my-id}", "my-id"),
        ('Custom {id="my-id" class=wide}', "my-id"),
        ("Use {braces}", "use-braces"),
        ("Use {x=y}", "use-xy"),
        ("[Link](/x/)", "link"),
    ],
)
def test_headings_have_ids_as_on_github(heading: str, id: str) -> None:
    html = render(f"## {heading}\n\n[there](#{id})")
    assert f'<h2 id="h-{id}">' in html
    assert f'href="#h-{id}"' in html
    assert "{#" not in html
    assert "{:" not in html


def test_ids_are_unique_and_links_to_nothing_stay() -> None:
    html = render("# A\n\n# A\n\n# A-1\n\n# !\n\n[a](#a-1) [b](#nothing) [c](/other/#a) [d](#)")
    assert re.findall(r'id="([^"]*)"', html) == ["h-a", "h-a-1", "h-a-1-1"]
    assert re.findall(r'href="([^"]*)"', html) == ["#h-a-1", "#nothing", "/other/#a", "#"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("> [!NOTE]\n> Words", "Note"),
        ("> [!tip]- Mind the <gap>\n> Words", "Mind the &lt;gap&gt;"),
        (":::note\nWords\n:::", "Note"),
        (":::note[Mind *it*]\n\nWords\n\n:::", "Mind *it*"),
        ("::: tip Mind it\nWords\n:::", "Mind it"),
        (":::warning{#w .x}\nWords\n:::", "Warning"),
        ('::warning{icon="x"}\nWords\n::', "Warning"),
        ("::note\n---\nicon: x\n---\nWords\n::", "Note"),
        ('!!! note "Mind it"\n    Words\n', "Mind it"),
        ("??? code-group\n\n    Words\n", "Code group"),
    ],
)
def test_boxes_of_other_generators_are_quotes_with_a_title(text: str, title: str) -> None:
    box = f"<blockquote>\n<p><strong>{title}</strong></p>\n<p>Words</p>\n</blockquote>"
    assert render(text) == box
    assert render(f"Before\n\n{text}\n\nAfter") == f"<p>Before</p>\n{box}\n<p>After</p>"


def test_boxes_hold_blocks_and_each_other() -> None:
    html = render("- item\n\n  ::::note\n  - a\n\n  :::tip\n  b\n  :::\n  ::::\n\nend")
    assert [*re.findall("blockquote|<li>|<strong>.*?</strong>", html)] == [
        "<li>", "blockquote", "<strong>Note</strong>", "<li>", "blockquote", "<strong>Tip</strong>", "blockquote", "blockquote",
    ]  # fmt: skip
    assert html.endswith("<p>end</p>")


@pytest.mark.parametrize(
    "text",
    [
        ":::note\nnot closed",
        "::note\nnot closed\n    ::",
        "::more{to=/x}\n::",
        "::std::vector\n::",
        "a ::: b",
        ":::",
        "!!! not indented\nx",
        "```\n:::note\nx\n:::\n```",
        "> [note] x",
    ],
)
def test_what_is_no_box_is_text(text: str) -> None:
    words = unescape(re.sub("<.*?>", "", render(text)))
    assert words.split() == text.replace("```", "").replace("> ", "").split()


@pytest.mark.parametrize(
    ("heading", "fragment"),
    [
        ("What's new?", "what-s-new"),
        ("What's new?", "Whats_New"),
        ("TOML 1.1", "toml-1-1"),
        ("Fares & tolls", "fares-tolls"),
        ("`-Zcheck`", "zcheck"),
        ("Café", "cafe"),
    ],
)
def test_links_find_headings_by_the_ids_of_other_generators(heading: str, fragment: str) -> None:
    html = render(f"## {heading}\n\n[there](#{fragment}) [nowhere](#{fragment}x) [top](#)")
    id = re.findall(r'id="([^"]*)"', html)[0]
    assert re.findall(r'href="([^"]*)"', html) == [f"#{id}", f"#{fragment}x", "#"]


def test_places_in_html_keep_their_names() -> None:
    html = render(
        '[a](#Fares) [b](#tolls)\n\n<a name="Fares"></a> x <a id="tolls" href="/t/">y</a> <a name="fares">z</a> <a name="!">w</a>'
    )
    assert re.findall(r'href="([^"]*)"', html) == ["#h-fares", "#h-tolls", "/t/"]
    assert re.findall(r' (?:id|name)="[^"]*"', html) == [' id="h-fares"', ' id="h-tolls"']
    assert render("# Fares\n\n<a name='fares'></a>").count("h-fares") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Text.\n{: .lead}", "Text."),
        ("Text.\n\n{: .lead}", "Text."),
        ("Text.\n{.lead #a}", "Text."),
        ("- Text.\n{.lead}", "Text."),
        ("Text.\n{.5} {#}", "Text.\n{.5} {#}"),
        ('[a](/b/){:target="_blank" rel="x"} c', "a c"),
        ("*a*{: .b}", "a"),
        ("`{: .b}`", "{: .b}"),
        ("a map {:a 1} b", "a map {:a 1} b"),
        ("```\n{: .b}\n```", "{: .b}"),
    ],
)
def test_attribute_lists_are_not_text(text: str, words: str) -> None:
    assert re.sub("<.*?>", "", render(text)).strip() == words


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("See [[Page]].", "See Page."),
        ("[[folder/Page#Heading|the *label*]]", "the *label*"),
        ("[[folder/Page#Heading]], [[a/b.md]], [[Node.js]]", "Page, b, Node.js"),
        ("[[#Heading]]", "Heading"),
        ("[[snake_case_name]] and [[a_b]]", "snake_case_name and a_b"),
        ("[[Page|`a` & <b>]]", "a &amp; &lt;b&gt;"),
        ("[[a]][[b]] [[Page|]]", "ab Page"),
        ("![[Note]] ![[Note#Part|label]]", "Note label"),
        ("![[clip.mp4]]", "clip.mp4"),
        ("![[photo.jpg]]", '<img alt="" src="photo.jpg">'),
        ("![[photo.jpg|300]]", '<img alt="" src="photo.jpg">'),
        ("![[a/My photo.PNG|The port|300x200]]", '<img alt="The port" src="a/My photo.PNG">'),
        ("[![[a.jpg]]](/b/)", '<a href="/b/" rel="noopener"><img alt="" src="a.jpg"></a>'),
        ("[see [[Page]]](/b/)", '<a href="/b/" rel="noopener">see Page</a>'),
    ],
)
def test_wiki_links_are_their_labels_and_embedded_pictures_are_pictures(text: str, html: str) -> None:
    assert render(text) == f"<p>{html}</p>"
    assert f">{html}</li>" in render(f"- item\n- {text}")
    row = text.replace("|", "\\|")
    assert f"<td>{html}</td>" in render(f"| a | b |\n|---|---|\n| {row} | c |")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[[1]](https://a.example/)", '<a href="https://a.example/" rel="noopener">[1]</a>'),
        ("[[1]][a]\n\n[a]: https://a.example/", '<a href="https://a.example/" rel="noopener">[1]</a>'),
        ("[[a]]\n\n[A]: https://a.example/", "[[a]]"),
        ("\\[[a]] [\\[b]] [[c\nd]]", "[[a]] [[b]] [[c\nd]]"),
        ("[[ -f a ]] [[]] [[#]] [[[1], [2]]", "[[ -f a ]] [[]] [[#]] [[[1], [2]]"),
        ("`[[a]]` `%%b%%`", "<code>[[a]]</code> <code>%%b%%</code>"),
        ("100%% or 50%%, `%%i` or %%i to %%j", "100%% or 50%%, <code>%%i</code> or %%i to %%j"),
        ("%% not closed", "%% not closed"),
        ("`{/*a*/}`", "<code>{/*a*/}</code>"),
        ("{/* not closed", "{/* not closed"),
        ("%%%\na\n%%%", "%%%\na\n%%%"),
    ],
)
def test_what_is_no_wiki_link_or_comment_stays(text: str, html: str) -> None:
    assert render(text) == f"<p>{html}</p>"


def test_wiki_links_and_comments_in_code_stay() -> None:
    text = "[[a]]\n%%\nb\n%%\n"
    assert render(f"```\n{text}```") == f"<pre><code>{text}</code></pre>"
    assert render("    [[a]]\n    %%\n    b\n    %%\n") == f"<pre><code>{text}</code></pre>"


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("a %%b [[c]]%% d", "a  d"),
        ("a {/*b *c**/} d", "a  d"),
        ("{/*\nb\n*/}\n\na", "a"),
        ("a %%b\nc%% d", "a  d"),
        ("中文%%注%%见", "中文见"),
        ("%% b %%\n\na", "a"),
        ("%%\nb\n\n- c\n\n# d\n%%\n\na", "a"),
        ("a\n\n%% b\n\nc %%\nd", "ad"),
        ("- a\n  %%\n  b\n\n  c\n  %%\n- d", "<ul><li>a</li><li>d</li></ul>"),
        ("> %%\n> b\n>\n> c %%\n> a", "<blockquote>a</blockquote>"),
        ("%%\nb\n\nc %%i\n\nd %%", "%%\nbc %%id %%"),
    ],
)
def test_comments_of_obsidian_are_left_out(text: str, blocks: str) -> None:
    assert outline(text) == blocks


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("mailto:desk@paper.example", True),
        ("MAILTO:desk@paper.example?subject=Hi%20there&body=a%0D%0Ab", True),
        ("tel:+49301234", True),
        ("../zwei/", True),
        ("next/?a=b#c", True),
        ("mailto:a@b.example?subject=x%0D%0Abcc:c@d.example", False),
        ("mailto:a@b.example%0abcc:c@d.example", False),
        ("mailto:", False),
        ("mailto:javascript:alert(1)\\", False),
        ("sms:+49301234", False),
        ("ftp://a.example/", False),
    ],
)
def test_links_may_lead_to_mail_and_telephone(address: str, kept: bool) -> None:
    assert Markup().html(f'<a href="{address}">x</a>') == (
        f'<a href="{address.replace("&", "&amp;")}" rel="noopener">x</a>' if kept else '<a rel="noopener">x</a>'
    )
    assert "mailto" not in Markup().html('<img src="mailto:a@b.example"><blockquote cite="tel:1">x</blockquote>')


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Set `WIRE_FETCH_LIMIT`, see the [guide][1] and C:\\new.\n\n[1]: https://docs.example",
            "Set WIRE_FETCH_LIMIT, see the guide and C:\\new.",
        ),
        ("    code\n\nText.", "Text."),
        ("```\ncode\n```\n\nText.", "Text."),
        ("# Heading\n\nText[^1].\n\n[^1]: Note.", "Text."),
        ("| a |\n|---|\n| b |\n\nText.", "Text."),
        ("[![A port](/p.jpg)](https://a.example)\n\nText.", "Text."),
        ("[desk]: https://a.example\n\nThe [desk] says.", "The desk says."),
        ("2026\\. What a year.\n\nSecond.", "2026. What a year."),
        ("- item\n\nText.", "Text."),
        ("> quote\n\nText.", "Text."),
        ("> quote\n>\n> more", "quote"),
        ("- item\n- other", "item"),
        ("AT&T &lt;3 `<b>` 5 < 6", "AT&T <3 <b> 5 < 6"),
        ("one\\\ntwo  \nthree", "one two three"),
        ("# Heading\n\n---\n\n![x](/y.png)", ""),
        ("", ""),
        ("{: .lead}\n\nText.", "Text."),
    ],
)
def test_the_excerpt_is_the_first_paragraph_as_it_is_read(text: str, words: str) -> None:
    assert first_paragraph(render(text)) == words


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<h2>Heading</h2><p>It costs 3*4 and uses snake_case_names.</p>", "It costs 3*4 and uses snake_case_names."),
        ("<div><div><p> </p><p>Text<br>more</p></div></div>", "Text more"),
        ("Bare <b>text</b>.<p>Second.</p>", "Second."),
        ("Bare <b>text</b>.<hr>Second", "Bare text."),
        ('<p><abbr title="a > b">c</abbr></p>', "c"),
        ("<table><tr><td><p>cell</p></td></tr></table>", ""),
    ],
)
def test_the_excerpt_of_an_html_body(html: str, words: str) -> None:
    assert first_paragraph(Markup().html(html)) == words


_BLOCKS = st.sampled_from(
    ["- ", "1. ", "2) ", "  ", "   ", "    ", "zq", "\n", "\n\n", "> ", "```", "~~~", "# zq", "---", "[ ] ", "[^1]"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_BLOCKS, max_size=25).map("".join))
def test_no_word_is_lost_between_nested_blocks(text: str) -> None:
    html = render(text)
    assert re.sub("<.*?>", "", html).count("zq") >= text.count("zq") - "".join(re.findall("(?:```|~~~).*", text)).count(
        "zq"
    )
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    first_paragraph(html)


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "  - a\n",
        "```\n",
        "> ",
        "> - a\n",
        "[^1]: x\n",
        "[^1] ",
        "# a\n",
        "- [x] a\n",
        "{:",
        "1. a\n\n",
        "www.a.",
        "~~~\n",
        "<p>a</p>",
        ":::a\n",
        ":::a\n:::\n",
        "::a\nb\n::\n",
        "{/* ",
        "::a\n",
        "!!! a\n    b\n",
        "[[a]]",
        "![[a.png|1]] ",
        "[[a",
        "%%a ",
        "%%a%% ",
        "%%a\n",
        "%%a\n\n",
        "%%a\n\nb%%c\n\n",
    ],
)
def test_hostile_bodies_take_linear_time(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TooDeepError):
        first_paragraph(render(text * (50_000 // len(text))))
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("begin", "filler", "end"),
    [
        ("::: note", " ", "}\n:::\n"),
        ("::: note", " ", "{\n:::\n"),
        (":::note[", "] ", "}\n:::\n"),
        ("!!! note", " ", "!\n    a\n"),
        ("!!! note ", 'a "', '"\n    a\n'),
        ("> [!note]", " ", "\t\n"),
        ("# a", " ", "x}\n"),
        ("# a", " {", "}\n"),
        ("{.a", " ", "{\n"),
        ("{: ", "#a ", "\n"),
        ("`a`{.a", " .a", "{\n"),
        ("[a]({{ b", " b", "\n"),
        ("[a]({{ b }}", " ", "\n"),
        ("<div", " markdown=1", "\n"),
        ("<div markdown", " ", "\n"),
        ("- ", " ", "x\n"),
        ("***", " *", "x\n"),
        ("", "=", "x\n"),
        ("```", " `", "\n"),
        ("<a", ' name="a"', ">\n"),
        ("[a](#", "a-", ")\n\n# a\n"),
        ("[[a", " ", "]\n"),
        ("[[a", " ", "]]\n"),
        ("![[a.png|", "|1", "x]]\n"),
        ("![[a.png", " ", "]]\n"),
        ("", "[[a|", "]]\n"),
        ("%%", " ", "x\n"),
        ("%%", " %", "\n"),
        ("%%a", " ", "\n\nb%%x\n"),
        ("", "%", "\n"),
    ],
)
def test_hostile_lines_take_linear_time(begin: str, filler: str, end: str) -> None:
    started = time.process_time()
    with contextlib.suppress(TooDeepError):
        first_paragraph(render(begin + filler * (100_000 // len(filler)) + end))
    assert time.process_time() - started < 5


def test_the_body_is_the_source_of_a_missing_excerpt(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "T"\n').article("a", webUrl=None, body="## H\n\nThe *first* `x_y`.\n\nSecond.")
    s.article("b", webUrl=None, excerpt="Own words.", body="Text.")
    assert {a.id: a.excerpt for a in s.load().articles()} == {"a.md": "The first x_y.", "b.md": "Own words."}


def test_a_body_may_begin_with_indented_code(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "T"\n').article("a", webUrl=None, body="\n\n    pip install wire\n\nText.\n")
    (article,) = s.load().articles()
    assert article.excerpt == "Text."
    assert article.body.startswith("<pre><code>pip install wire\n</code></pre>")


def test_a_missing_player_is_said_with_its_line(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "T"\n')
    s.article(
        "a",
        webUrl=None,
        body="Text.\n\n`<iframe>`\n\n<iframe src='https://x.example'></iframe>\n<script>x()</script>\n",
    )
    s.write("content/_pages/b.html", "---\ntitle: B\n---\n<p>x</p>\n<video src='/a.mp4'></video>")
    lines = (s.root / "content/a.md").read_text().splitlines()
    report = s.good()
    assert [(w.path, w.line, w.what) for w in report.warnings] == [
        (
            "content/a.md",
            lines.index("<iframe src='https://x.example'></iframe>") + 1,
            "<iframe> is left out of the body",
        ),
        ("content/a.md", lines.index("<script>x()</script>") + 1, "<script> is left out of the body"),
        ("content/_pages/b.html", 5, "<video> is left out of the body"),
    ]
    assert "featuredContent" in report.warnings[0].hint
    assert s.build().warnings == report.warnings  # from the cache


def test_tags_that_only_other_generators_run_are_said_once_each(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "T"\n')
    body = "Text, `{% raw %}`.\n\n```\n{{< code >}}\n```\n\n{{< figure src=/a.png >}}\n{{% note %}}x{{% /note %}}\n"
    s.article("a", webUrl=None, body=body)
    s.article(
        "b",
        webUrl=None,
        body="{%- include a.html -%}\n{{ site.title }} and {{< figure >}}{% endif %} {{ page.x }} {{}} {%a}\n",
    )
    first, *more = s.good().warnings
    assert (first.path, first.line) == ("content/a.md", 11)
    assert [warning.what.split(" as ")[0].removeprefix("readers see the tag ") for warning in (first, *more)] == [
        "{{< figure >}}",
        "{{% note %}}",
        "{% include %}",
        "{{ site.title }}",
    ]
    assert "{{&lt; figure src=/a.png &gt;}}" in s.read("2026/11/08/a/index.html")


@pytest.mark.parametrize(
    ("player", "page"),
    [
        ("https://www.youtube.com/embed/aB-_1", "https://www.youtube.com/watch?v=aB-_1"),
        ("https://www.youtube-nocookie.com/embed/abc?rel=0&start=30", "https://www.youtube.com/watch?v=abc&amp;t=30s"),
        ("https://youtube.com/embed/videoseries?list=PLx", "https://www.youtube.com/playlist?list=PLx"),
        ("https://player.vimeo.com/video/123", "https://vimeo.com/123"),
        ("https://player.vimeo.com/video/123?h=abc1&amp;x=y", "https://vimeo.com/123/abc1"),
        ("https://www.dailymotion.com/embed/video/x1y2", "https://www.dailymotion.com/video/x1y2"),
        ("https://www.dailymotion.com/other", "https://www.dailymotion.com/other"),
    ],
)
def test_a_poster_leads_to_the_page_that_people_use(site: Make, player: str, page: str) -> None:
    s = site('-- site.toml --\ntitle = "T"\n').article(
        "a", type="video", featuredContent=f"<iframe src='{player}'></iframe>"
    )
    s.good()
    path = "2026/11/08/a/index.html"
    assert f'<a class="poster" href="{page}">' in s.read(path)
    s.write("site.toml", 'title = "T"\n[video]\nembed = true\n').good()
    assert f'<iframe src="{escape(unescape(player))}"' in s.read(path)


def test_mail_and_telephone_keep_their_addresses_on_pages(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "T"\n')
    s.write(
        "content/_pages/imprint.md",
        "---\ntitle: Imprint\n---\n[Mail](mailto:desk@paper.example), [call](tel:+49301234)\n",
    ).good()
    assert 'href="mailto:desk@paper.example"' in s.read("imprint/index.html")
    assert 'href="tel:+49301234"' in s.read("imprint/index.html")


def test_the_words_of_real_posts_survive(data: Path, tmp_path: Path) -> None:
    """Every word of the Markdown is on the page."""
    import tarfile

    with tarfile.open(data / "data/suites/digitalgov-news.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    for file in sorted(tmp_path.rglob("*.md"))[:150]:
        body = file.read_text(encoding="utf-8").split("\n---", 2)[-1]
        body = unescape(body)
        body = re.sub(r"\{\{.*?\}\}|<[^>]*>|\]\([^)]*\)|\]:.*", " ", body, flags=re.DOTALL)
        shown = set(re.findall(r"\w{4,}", render(body)))
        lost = [w for w in re.findall(r"\w{4,}", body) if w not in shown and "_" not in w]
        assert len(lost) <= 3, (file.name, lost[:9])
