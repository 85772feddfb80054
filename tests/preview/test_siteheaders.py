import pytest

from newsgen.preview import siteheaders

TEXT = """# a comment
/news/*
  Content-Security-Policy: default-src 'none'; script-src 'self' https://a.example; style-src 'none'
  X-Own:  one two
  Cache-Control: max-age=1
  no header
/news/:name/x.html
  X-Own: three
https://other.example/*
  X-Other: 1
"""


def test_the_rules_for_a_path() -> None:
    rules = siteheaders.parse(TEXT)
    found = siteheaders.of("/news/a/b", rules, live=False)
    assert found["content-security-policy"].startswith("default-src 'none'; script-src")
    assert found["x-own"] == "one two"
    assert not {"cache-control", "x-other"} & found.keys()
    assert siteheaders.of("/news/a/x.html", rules, live=False)["x-own"] == "three"
    assert siteheaders.of("/elsewhere/", rules, live=False) == {}


def test_the_script_of_the_preview_is_allowed() -> None:
    policy = siteheaders.of("/news/", siteheaders.parse(TEXT), live=True)["content-security-policy"]
    assert policy == ("default-src 'none'; script-src 'self' https://a.example; style-src 'self'; connect-src 'self'")


@pytest.mark.parametrize(
    "text", ["", "/", "  X: 1\n", "/*\n  X\n  : y\n  X: \n", "/*\n  X: \x01\n", "/(\n  X: 1\n", "/*\n  X: é\n"]
)
def test_what_is_no_rule_is_left_out(text: str) -> None:
    assert siteheaders.of("/a", siteheaders.parse(text), live=True) == {}
