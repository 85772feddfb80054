import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen import canonical
from newsgen.canonical import Blocklist


@pytest.mark.parametrize(
    "same",
    [
        (
            "https://www.zdnet.example/article/ban/",
            "http://zdnet.example/article/ban",
            "https://www.zdnet.example/google-amp/article/ban/",
            "https://www-zdnet-example.cdn.ampproject.org/c/s/www.zdnet.example/google-amp/article/ban/",
        ),
        ("https://techspot.example/news/9-ban.html", "https://www.techspot.example/amp/news/9-ban.html"),
        ("https://a.example/x/amp/", "https://a.example/x?utm_source=feed&utm_medium=rss", "https://m.a.example/x#top"),
        ("https://a.example/x?a=1&b=2", "https://a.example:443/x?b=2&a=1&fbclid=zzz"),
        ("https://exämple.example/é", "https://xn--exmple-cua.example/%C3%A9", "https://xn--exmple-cua.example/%c3%a9"),
        ("https://a.example/b/../c/./d", "https://a.example/c/d/"),
        ("https://a.example/~x", "https://a.example/%7Ex"),
        ("https://www.google.com/amp/s/a.example/x", "https://a.example/x"),
    ],
)
def test_addresses_of_one_text_have_one_key(same: tuple[str, ...]) -> None:
    assert len({canonical.key(url) for url in same}) == 1
    assert canonical.key(same[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x?id=1", "https://a.example/x?id=2"),
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
        ("https://a.example:8080/x", "https://a.example/x"),
        ("https://blog.a.example/x", "https://a.example/x"),
        ("https://a.example/amplifier", "https://a.example/lifier"),
        ("https://a.example/story?cid=12345", "https://a.example/story?cid=12346"),
    ],
)
def test_addresses_of_two_texts_have_two_keys(one: str, other: str) -> None:
    assert canonical.key(one) != canonical.key(other)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "ftp://a.example/x",
        "https://",
        "https://[::1/",
        "http://a.example:port/",
        "//a.example/x",
    ],
)
def test_what_is_no_web_address_has_no_key(url: str) -> None:
    assert canonical.key(url) == ""


def test_a_front_page_names_no_text() -> None:
    assert not canonical.joins(canonical.key("https://www.a.example/"))
    assert canonical.joins(canonical.key("https://www.a.example/x"))


@given(st.text() | st.from_regex(r"https?://[a-z.]{1,12}(/[\w%.&-]{0,8}){0,4}(\?[\w=&%;-]{0,20})?", fullmatch=True))
def test_any_text_has_a_key_or_none_and_a_key_is_its_own(url: str) -> None:
    key = canonical.key(url)
    if key:
        assert canonical.key("https://" + key) == key


@pytest.mark.parametrize(
    ("given_domain", "host"),
    [
        ("WWW.Example.org:443", "example.org"),
        ("exämple.org", "xn--exmple-cua.org"),
        ("aws.example.com.", "aws.example.com"),
        ("not a domain", ""),
        ("../etc", ""),
        ("a" * 300 + ".org", ""),
        ("", ""),
    ],
)
def test_a_domain_has_one_form(given_domain: str, host: str) -> None:
    assert canonical.host(given_domain) == host


def test_a_blocked_domain_covers_its_sub_domains_and_a_blocked_url_all_its_forms() -> None:
    block = Blocklist(("bad.example",), ("https://good.example/one/",))
    assert block.has("https://news.bad.example/x")
    assert block.has("//bad.example/x")
    assert not block.has("https://notbad.example/x")
    assert block.has("http://www.good.example/one?utm_source=x")
    assert not block.has("https://good.example/two")
    assert not Blocklist((), ())
