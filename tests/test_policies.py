import base64
import hashlib

import pytest

from newsgen import needs, policies
from newsgen.policies import Policy

DEFAULT = (
    "default-src 'none'; img-src 'self' https: http: data:; style-src 'self'; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def directives(header: str) -> dict[str, str]:
    return dict(each.split(" ", 1) for each in header.split("; "))  # type: ignore[misc]


def test_the_policy_of_a_site_without_settings() -> None:
    assert policies.header(Policy()) == DEFAULT


def test_hosts_are_added_where_they_belong() -> None:
    kinds = ("script", "style", "image", "media", "connect", "form", "frame", "font")
    found = directives(policies.header(Policy(**{kind: (f"{kind}.example",) for kind in kinds}), ["player.example"]))
    assert found["script-src"] == "'self' https://script.example"
    assert found["media-src"] == "'self' https://media.example"
    assert found["form-action"] == "'self' https://form.example"
    assert found["frame-src"] == "https://player.example https://frame.example"
    for kind, directive in (
        ("style", "style-src"),
        ("image", "img-src"),
        ("connect", "connect-src"),
        ("font", "font-src"),
    ):
        assert found[directive].endswith(f" https://{kind}.example")
    assert "unsafe" not in str(found)


def test_inline_scripts_and_styles_of_the_head_are_allowed_by_hash() -> None:
    script, style = "\n  let é = 1 < 2 && '</b>';\n", "a > b { color: red }"
    head = (
        f'<script type="module">{script}</script><style>{style}</style><script src="/x.js"></script>'
        '<script type="application/ld+json">{}</script><!-- <script>no</script> -->'
    )
    found = directives(policies.header(Policy(), (), *needs.inline(head)))
    for text, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert found[directive] == f"'self' 'sha256-{digest}'"


@pytest.mark.parametrize(
    ("html", "line", "what"),
    [
        ('\n<script src="https://a.example/x.js"></script>', 2, 'scripts from a.example; add "a.example" to `script` in [policy]'),
        ('<script src="//a.example/x.js">', 1, "scripts from a.example"),
        ('<script src="http://ok.example/x.js">', 1, "scripts from http://ok.example; use https"),
        ('<script src="https://ok.example:8443/x.js">', 1, "scripts from ok.example:8443"),
        ('<script src="data:text/javascript,1">', 1, "scripts from data: addresses; save it as a file in static/"),
        ('<link rel="preload stylesheet" href="https://a.example/x.css">', 1, "style sheets from a.example"),
        ('<link rel=preload as=font href="https://a.example/x.woff2">', 1, "fonts from a.example"),
        ('<p>\n<form action="https://a.example/">', 2, "forms that are sent to a.example"),
        ('<button formaction="https://a.example/">', 1, "forms that are sent to a.example"),
        ('<iframe src="https://a.example/"></iframe>', 1, "frames from a.example"),
        ('<video><source src="https://a.example/a.mp4"></video>', 1, "audio and video from a.example"),
        ('<audio src="/a.mp3">', 1, "audio and video; name the host of audio and video in `media`"),
        ('<p\nonclick="x()">', 1, "the attribute onclick; add the listener in a script of static/js/"),
        ('<p style="color:red">', 1, "the attribute style; use a class"),
        ('<a href=" JavaScript:x()">', 1, "javascript: addresses"),
        ("<object data=x>", 1, "<object>"),
        ('<base href="/">', 1, "<base>"),
        ("{# a\n#}<script>x()</script>", 2, "this inline script; move it to a file in static/js/, or to the file of brand.head"),
        ("{% if a %}\n<style>a{}</style>\n{% endif %}", 2, "this inline style; move it to a file in static/css/"),
        ('<script src="https://a.example/{{ "x" }}.js">', 1, "scripts from a.example"),
        ('<style>\n@import url("https://a.example/x.css");</style>', 2, "style sheets from a.example"),
    ],
)  # fmt: skip
def test_what_a_template_needs_and_the_policy_forbids(html: str, line: int, what: str) -> None:
    policy = Policy(script=("ok.example",))
    found = [str(each.problem("templates/a.html")) for each in needs.in_template(html, policy)]
    assert any(row.startswith(f"templates/a.html:{line}: the policy forbids {what}") for row in found), found


@pytest.mark.parametrize(
    "html",
    [
        '<script src="{{ "js/a.js" | asset }}"></script><link rel="stylesheet" href="/css/a.css">',
        '<script src="https://ok.example/x.js"></script><script src="https://cdn.ok.example/x.js"></script>',
        '<script src="https://own.example/x.js"></script><form action="{{ x }}"><form><form action="https://own.example/s">',
        '<script src="https://{{ host }}/x.js"></script>',
        '<script type="application/ld+json">{"a": 1}</script><script type="text/x-template"><p onclick="a"></script>',
        '<img src="http://any.example/a.png"><img src="data:image/png;base64,AA=="><a href="https://any.example/">a</a>',
        "<script>known()</script>",
        "<!-- <script>x()</script> <p onclick=x> -->{# <style>a{}</style> #}",
        '<p class="{% if a %}x{% endif %}"{% if b %} id="y"{% endif %}>on= style=</p>',
        "",
    ],
)
def test_what_the_policy_allows_is_no_fault(html: str) -> None:
    policy = Policy(script=("https://OK.example/", "*.ok.example:443"))
    assert not [*needs.in_template(html, policy, "https://own.example", "<script>known()</script>")]


def test_what_does_not_belong_into_the_head() -> None:
    found = [*needs.in_head('<meta name="a">\n<noscript><img src="/x"></noscript>\n<div>\n<p>\n<script>x()', Policy())]
    assert [(each.line, each.what) for each in found] == [
        (3, "<div> does not belong into the head: browsers begin the body there"),
        (5, "the element <script> has no end"),
    ]


def test_what_a_style_sheet_needs() -> None:
    css = (
        "/* @import 'https://no.example/x.css';\n*/\n@import 'https://a.example/x.css';\n"
        "@font-face {\n  src: url('/fonts/own.woff2'), url(https://f.example/x.woff2);\n}\n"
        "p { background: url(https://any.example/x.png) }\n@font-face { src: url(data:font/woff2;base64,AA==) }\n"
    )
    found = [str(each.problem("static/a.css")) for each in needs.in_css(css, Policy())]
    assert [row.split(";")[0] for row in found] == [
        "static/a.css:3: the policy forbids style sheets from a.example",
        "static/a.css:5: the policy forbids fonts from f.example",
        "static/a.css:8: the policy forbids fonts from data: addresses",
    ]


@pytest.mark.parametrize(
    "text", ["<", "<script", "</script>", "<a href='", "{{", "{% raw", "<![CDATA[", "<!", "&#x110000;", "\0"]
)
def test_broken_markup_is_no_error(text: str) -> None:
    list(needs.in_template(text * 50, Policy()))
    list(needs.in_head(text, Policy()))
    assert policies.header(Policy(), (), *needs.inline(text)).startswith("default-src")
