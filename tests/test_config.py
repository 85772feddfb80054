import re
from pathlib import Path

import pytest

from newsgen import config
from newsgen.errors import ConfigError


def load(tmp_path: Path, text: str | bytes) -> config.Config:
    file = tmp_path / "site.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(file)


def test_without_a_file_the_defaults_apply(tmp_path: Path) -> None:
    found = config.load(tmp_path / "site.toml")
    assert (found.title, found.root, found.base, found.page_size) == ("News", "/", "", 30)
    assert found.has("feed")


def test_all_mistakes_are_reported_together_with_line_and_hint(tmp_path: Path) -> None:
    text = 'titel = "x"\npage_size = 0\n\n[ranking]\nhalf_life = "a"\n\n[stories]\nfolded = "hide"\n\n[block]\nprovider = ["x"]\n'
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert [str(p) for p in caught.value.problems] == [
        "site.toml:1: titel: unknown setting; did you mean 'title'?",
        "site.toml:2: page_size: expected a whole number >= 1",
        "site.toml:5: ranking.half_life: expected a number, got text",
        "site.toml:8: stories.folded: unknown value 'hide'; use one of: hold, member",
        "site.toml:11: block.provider: unknown setting; did you mean 'providers'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[policy]\n[feeds]\n[policy]\n",
            "site.toml:3: the table [policy] is in the file twice; move these settings below",
        ),
        ("[publish.a]\n[publish.a]\n", "site.toml:2: the table [publish.a] is in the file twice; "),
        ('title = "A"\ntitle = "B"\n', "site.toml:2: a setting is in the file twice; keep one of the two"),
        ("language = de\n", "site.toml:1: invalid TOML (Invalid value); write text in quotes"),
    ],
)
def test_common_mistakes_in_toml_are_told_with_a_remedy(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)):
        config.load(tmp_path / "site.toml")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('base_url = "example.org"', "base_url"),
        ('base_url = "javascript:alert(1)"', "base_url"),
        ('base_url = "https://example.org/?x=1"', "base_url"),
        ('base_url = "https://example.org/a/../b/"', "base_url"),
        ('base_url = "https://example.org/\\"><script>"', "base_url"),
        ('timezone = "Mars/Olympus"', "timezone"),
        ('timezone = "../../etc/passwd"', "timezone"),
        ('permalink = "/:year/:slag/"', "permalink"),
        ('permalink = "/../:slug/"', "permalink"),
        ('permalink = "/:year/"', "permalink"),
        ('navigation = [{title = "x", url = "javascript:alert(1)"}]', "navigation[0].url"),
        ('language = "en\\" onload"', "language"),
        ('[block]\nproviders = ["not a domain"]', "block.providers[0]"),
        ('[block]\nurls = ["example.org/x"]', "block.urls[0]"),
        ('[fields]\npublishedDate = ["when"]', "fields.publishedDate"),
    ],
)
def test_an_invalid_setting_is_an_error(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert field in str(caught.value)


@pytest.mark.parametrize("text", [b"title = \xff", b"title = ", b"[" * 100_000, b"a = 1\na = 2"])
def test_a_malformed_file_is_a_config_error(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"site\.toml"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[redirects.moved]\n"/a/" = "/b/"\n"/b/" = "/c"\n"/c/" = "/a/#x"',
            "2: redirects.moved./a/: '/a/' leads in a circle",
        ),
        ('[redirects.moved]\n"/a/" = "/a"', "2: redirects.moved./a/: '/a/' leads in a circle"),
        (
            'redirects.moved = {"/x/y" = "javascript:alert(1)"}',
            "1: redirects.moved./x/y: 'javascript:alert(1)' is not an",
        ),
        ('[redirects.moved]\n"/a/" = "//evil.example/"', "2: redirects.moved./a/: '//evil.example/' is not an address"),
        ('[redirects.moved]\n"/a/" = "https://me@evil.example/"', "'https://me@evil.example/' is not an address"),
        ('[redirects.moved]\n"/a/" = "/b\\n/c"', "is not an address; use /path/ or an http(s) URL"),
        ('[redirects.moved]\n"/../x/" = "/b/"', "'/../x/' is not an address on this site"),
        ('[redirects.moved]\n"/a/?p=1" = "/b/"', "has a query, which no file can answer"),
        ('[redirects.moved]\n"/a" = "/b/"\n"/a/" = "/c/"', "3: redirects.moved./a/: '/a/' is there twice"),
        (
            '[redirects]\ngone = ["/a/", "/.newsgen-manifest.json"]',
            "2: redirects.gone[1]: '/.newsgen-manifest.json' is not",
        ),
        (
            '[redirects]\ngone = ["/b"]\n[redirects.moved]\n"/a/" = "/b/"',
            "4: redirects.moved./a/: '/a/' leads to an address",
        ),
        ('[redirects]\ngone = ["/a"]\n[redirects.moved]\n"/a/" = "/b/"', "2: redirects.gone[0]: '/a' is there twice"),
        (
            '[redirects.moved]\n"/a/*" = "/b/"',
            "2: redirects.moved./a/*: '/a/*' leads to no folder of this site; write it",
        ),
        ('[redirects.moved]\n"/*" = "/b/*"', "2: redirects.moved./*: '/*' leads to no folder of this site"),
        ('[redirects.moved]\n"/a/*" = "/b/*"\n"/b/*" = "/a/*"', "2: redirects.moved./a/*: '/a/*' leads in a circle"),
        ('[redirects.moved]\n"/a/" = 5', "redirects.moved./a/: expected text"),
    ],
)
def test_an_unsafe_redirect_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)


def test_the_root_is_the_path_of_the_base_url(tmp_path: Path) -> None:
    found = load(tmp_path, 'base_url = "https://example.org/news/"')
    assert (found.base, found.root) == ("https://example.org/news", "/news/")


def test_page_kinds_can_be_disabled(tmp_path: Path) -> None:
    found = load(tmp_path, 'disable_kinds = ["feed", "archive"]')
    assert not found.has("feed")
    assert found.has("home")


@pytest.mark.parametrize("kind", ["article", "story"])
def test_stories_and_articles_cannot_be_disabled(tmp_path: Path, kind: str) -> None:
    (tmp_path / "site.toml").write_text(f'disable_kinds = ["opml", "{kind}"]\n')
    with pytest.raises(
        ConfigError, match=r'site.toml:1: disable_kinds\[1\]: .*cannot be disabled.* `articles = "own"`'
    ):
        config.load(tmp_path / "site.toml")
