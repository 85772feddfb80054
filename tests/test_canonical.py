import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import Site, related

from newsgen import canonical
from newsgen.canonical import Blocklist
from newsgen.content import fields
from newsgen.validation import Faults


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
        ("https://www.google.com/amp/s/a.example/x", "https://a.example/x", "https://google.co.uk/amp/a.example/x"),
        (
            "https://a.example/x",
            "https://a.example/x.amp.html",
            "https://a.example/x/amp.html",
            "https://a.example/x.amp/amp",
            "https://a.example/x/..amp",
        ),
        ("https://a.example/x", "https://amp.a.example/x", "https://mobile.a.example/x", "https://www.m.a.example/x"),
        ("https://a.example/x", "https://a.example/x/index.html", "https://a.example/amp/x/default.aspx"),
        (
            "https://a.example/x",
            "https://u:p@a.example:0443/x",
            "http://a.example:80/x",
            "http://a.example:/x",
            "HTTP:a.example/x",
        ),
        ("https://a.example/x/y", " https:\\\\A.ex\tample.\\x//%2E\\z\\%2e%2E/y\n", "https://%61.example/x/y"),
        ("https://a.example/x?a=b c", "https://a.example/x?a=b+c", "https://a.example/x?%61=b%20c"),
        ("https://a.example/x?a=1&b=2", "https://a.example/x?b=2?a=1", "https://a.example/x?b=2;&a=1?utm_source=x"),
        (
            "https://xn--fa-hia.example/x",
            "https://faß.example/x",
            "https://ＦＡß。example/x",
            "https://fa\xadß.example/x",
        ),
        ("https://127.0.0.1/x", "https://0x7f.1/x", "https://017700000001/x", "https://１２７.1./x"),
        ("https://[::1]/x", "https://[0:0::0001]/x"),
        ("https://a.example/\ud800", "https://a.example/\ufffd"),
    ],
)
def test_all_urls_of_a_text_have_the_same_key(same: tuple[str, ...]) -> None:
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
        ("https://a.example/x?a=1%26b=2", "https://a.example/x?a=1&b=2"),
        ("https://a.example/x?a=1%2B2", "https://a.example/x?a=1+2"),
        ("https://a.example/x%3Fa", "https://a.example/x?a"),
        ("https://a.example/%252F", "https://a.example/%2F"),
        ("https://a.example/x.amplifier", "https://a.example/x"),
        ("https://a.example/index", "https://a.example/"),
        ("https://blog.m.a.example/x", "https://blog.a.example/x"),
        ("https://faß.example/x", "https://fass.example/x"),
        ("https://a.example/amp/s/b.example/x", "https://b.example/x"),
    ],
)
def test_urls_of_different_texts_have_different_keys(one: str, other: str) -> None:
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
        "https://a.example:65536/x",
        "https://a.example:" + "9" * 5000,
        "https://a b.example/x",
        "https://a..example/x",
        "https://xn--a/x",
        "https://1.2.3.4.5/x",
        "https://[fe80::1%25eth0]/x",
        "https://" + "a" * 300 + ".example/x",
        "https://x.cdn.ampproject.org/rtv/",
        "https://google.com" + "/amp/s/google.com" * 2000,
    ],
)
def test_an_invalid_url_has_no_key(url: str) -> None:
    assert canonical.key(url) == ""


def test_a_front_page_does_not_identify_a_text() -> None:
    assert not canonical.identifies_text(canonical.key("https://www.a.example/"))
    assert canonical.identifies_text(canonical.key("https://www.a.example/x"))


FRAGMENTS = "http:|//|/|\\|?|#|&|;|=|@|:|443|%|%2e|.|..|%2F|%3F|%26|amp|.amp|index.html|/c/s/|www.|m.|google.com/amp/s/"
FRAGMENTS += "|x.cdn.ampproject.org|a.example|utm_source=x|ref=12|+| |é|ß|xn--|[::1]|0x7f.1|\ud83d|。|４|ﷺ|\0|\xad"


@given(
    st.text()
    | st.lists(st.sampled_from(FRAGMENTS.split("|"))).map("".join)
    | st.from_regex(r"https?://[a-z.]{1,12}(/[\w%.&-]{0,8}){0,4}(\?[\w=&%;-]{0,20})?", fullmatch=True)
)
@settings(max_examples=400)
def test_the_key_of_any_text_is_ascii_and_is_its_own_key(text: str) -> None:
    for url in (text, "https://" + text):
        key = canonical.key(url)
        assert key.isascii()
        assert not key or canonical.key("https://" + key) == key
        assert canonical.host(url).isascii()


FAMILIES = {
    "campaigns": (
        "utm_source=x utm=x UTM_Campaign=x mtm_cid=1 pk_kwd=x cmpid=7 xtor=RSS-1 WT.mc_id=x",
        "utmost=x pk=5 cmpx=7",
    ),
    "clicks": ("fbclid=x gclid=x msclkid=1 _ga=2.1 rb_clickid=x", "clid=x gclidx=x ga=1"),
    "newsletters": ("mc_cid=x mc_eid=x _hsenc=x __hstc=1 mkt_tok=x vero_id=1", "mc_id=x hsenc=x token=x"),
    "referrers": (
        "ref=rss ref_=x referrer=x source=feed via=x guce_referrer=x",
        "ref=12 source=3 reference=x sources=x",
    ),
    "shares": ("fb_ref=x action_type_map=x soc_src=x __twitter_impression=true", "fb=x action=x share=x"),
    "AMP": ("amp=1 amp outputType=amp usqp=mq331 amp_js_v=0.1", "amplitude=3 output=pdf amps=1"),
    "twice escaped": ("%3Futm_source=x %3fref=rss", "%3Fid=5 %3Fref=12"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_tracking_parameters_are_dropped_and_similar_ones_are_kept(family: str) -> None:
    plain = "https://a.example/x?id=5"
    dropped, kept = map(str.split, FAMILIES[family])
    assert [p for p in dropped if canonical.key(f"{plain}&{p}") != canonical.key(plain)] == []
    assert [p for p in kept if canonical.key(f"{plain}&{p}") == canonical.key(plain)] == []


def suite(data: Path, name: str) -> Any:
    return json.loads(gzip.decompress((data / "data/suites" / name).read_bytes()))


@settings(max_examples=10)
@given(drawn=st.data())
def test_the_global_rules_of_clearurls_are_covered(data: Path, drawn: st.DataObject) -> None:
    everywhere = suite(data, "clearurls-rules.json.gz")["providers"]["globalRules"]
    rules = everywhere["rules"] + everywhere["referralMarketing"]
    assert len(rules) > 40
    for rule in rules:
        name = drawn.draw(st.from_regex(re.compile(rule, re.ASCII), fullmatch=True), label=rule)
        assert canonical.key(f"https://a.example/x?id=5&{name}=x") == "a.example/x?id=5"


# Valid in the suite, but without a key.
NO_KEY = {
    # An empty label, which no real host name has.
    "http://./",
    "http://../",
    "http://0..0x300/",
    # A host that ends in a number must be an IPv4 address. The standard added this after this version of the suite.
    "http://256.256.256.256.256/",
    "http://0177.0.0.0189/",
    # A control character. The standard has forbidden it since then.
    "http://\x1f!\"$&'()*+,-.;=_`{}~/",
}


def test_urls_are_parsed_as_browsers_parse_them(data: Path) -> None:
    """Runs the URL suite of the web platform tests. Relative URLs have no key, so only their resolved URL is tested."""
    read = refused = other = 0
    without = set()
    for row in suite(data, "urltestdata.json.gz"):
        if isinstance(row, str):  # a comment
            continue
        given = row["input"]
        key = canonical.key(given)
        if row.get("failure") or row["protocol"] not in ("http:", "https:"):
            assert key == "", given
            refused += "failure" in row
            other += "failure" not in row
            continue
        expected = canonical.key(row["href"])
        if not expected:
            without.add(row["href"])
            assert key == "", given
            continue
        name = row["hostname"].removeprefix("www.").removesuffix(".")
        port = f":{row['port']}" if row["port"] not in ("", "80", "443") else ""
        assert re.split("[/?]", expected)[0] == name + port
        assert canonical.key("https://" + expected) == expected
        if row["base"] == "about:blank" or re.match(r"\s*https?:[/\\]{2}", given, re.IGNORECASE):
            assert key == expected, given
            read += 1
    assert without == NO_KEY
    assert (read, refused, other) == (146, 143, 284)


@pytest.mark.parametrize(
    ("given_domain", "host"),
    [
        ("WWW.Example.org:443", "example.org"),
        ("exämple.org", "xn--exmple-cua.org"),
        ("aws.example.com.", "aws.example.com"),
        ("faß.example", "xn--fa-hia.example"),
        ("0x7f.1", "127.0.0.1"),
        ("not a domain", ""),
        ("../etc", ""),
        ("a" * 300 + ".org", ""),
        ("", ""),
    ],
)
def test_domains_are_normalised(given_domain: str, host: str) -> None:
    assert canonical.host(given_domain) == host


def test_the_blocklist_matches_sub_domains_and_all_urls_of_a_text() -> None:
    block = Blocklist(("bad.example",), ("https://good.example/one/",))
    assert block.has("https://news.bad.example/x")
    assert block.has("//bad.example/x")
    assert not block.has("https://notbad.example/x")
    assert block.has("http://www.good.example/one?utm_source=x")
    assert not block.has("https://good.example/two")
    assert not Blocklist((), ())


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://tv.example/video/#/video/2026/rescue/", "tv.example/video#/video/2026/rescue"),
        (
            "https://tv.example/video#/video/2026/rescue?utm_source=x&b=2&a=1",
            "tv.example/video#/video/2026/rescue?a=1&b=2",
        ),
        ("https://tv.example/video/#/video/%7ex:~:text=boat", "tv.example/video#/video/~x"),
        ("https://groups.example/forum/#!topic/jay/8QCI", "groups.example/forum#!topic/jay/8QCI"),
        ("https://app.example/index.html#!/x", "app.example#!/x"),
        ("https://app.example/#/?id=5", "app.example#/?id=5"),
        ("https://app.example/#!?id=5", "app.example#!?id=5"),
        ("https://app.example/x#/", "app.example/x"),
        ("https://app.example/x#!", "app.example/x"),
        ("https://app.example/x#!/?utm_source=y", "app.example/x"),
        ("https://app.example/x#top", "app.example/x"),
        ("https://app.example/x#:~:text=boat", "app.example/x"),
        ("https://app.example/x#?id=5", "app.example/x"),
    ],
)
def test_a_route_belongs_to_the_key_and_an_anchor_does_not(url: str, key: str) -> None:
    assert canonical.key(url) == key
    assert canonical.key("https://" + key) == key
    assert canonical.identifies_text(key)


@given(
    st.lists(st.sampled_from(["#/", "#!", "/", "?", "&", "a", "=", "%", "%2F", "\\", ":~:", "utm_source=x", "é", "\n"]))
)
def test_a_key_with_a_route_is_its_own_key(parts: list[str]) -> None:
    key = canonical.key("https://a.example/x#/" + "".join(parts))
    assert key.isascii()
    assert canonical.key("https://" + key) == key


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (r"https:\\A.example\x\..\y z?a\b#c\d", "https://a.example/y%20z?a%5Cb#c%5Cd"),
        (r"https:/\a.example\x", "https://a.example/x"),
        (r"\\a.example\x", "https://a.example/x"),
        ("//a.example:443/x", "https://a.example/x"),
        ("http://a.example:0443/x", "http://a.example:443/x"),
        ("https://www.a.example/a/./b/%2e%2E/c//d/..", "https://www.a.example/a/c//"),
        ("https://a.example/x?y?z#a#b", "https://a.example/x?y?z#a%23b"),
        (r"https://a.example\@b.example/x", "https://a.example/@b.example/x"),
        (r"https://a@b.example\x", ""),
        (r"javascript:\\a.example\x", ""),
        ("https://a.example:65536/", ""),
        ("https:", ""),
        ("", ""),
    ],
)
def test_a_web_address_is_read_as_browsers_read_it(url: str, address: str) -> None:
    assert canonical.web_address(url) == address
    assert not address or canonical.web_address(address) == address


def test_web_addresses_lead_where_browsers_go_or_are_refused(data: Path) -> None:
    """Runs the URL suite of the web platform tests on the addresses that readers are sent to."""
    same = 0
    for row in suite(data, "urltestdata.json.gz"):
        if isinstance(row, str) or not (
            row["base"] == "about:blank" or re.match(r"\s*https?:[/\\]{2}", row["input"], re.I)
        ):
            continue
        address = fields.web_address(row["input"], (), Faults())
        if row.get("failure") or row["protocol"] not in ("http:", "https:") or row["username"]:
            assert address == "", row["input"]
        elif address:
            host = row["hostname"].removesuffix(".")
            assert re.match(r"https?://([^/:?#]+)", address)[1] == host, row["input"]
            assert canonical.key(address) == canonical.key(row["href"]), row["input"]
            assert re.sub(r"https?://[^/?#]*", "", address) or row["pathname"] == "/"
            same += 1
    assert same > 90


def test_an_address_with_backslashes_is_one_with_slashes(site: Callable[[], Site]) -> None:
    s = site().article("a", webUrl=r"https:\\a.example\x", more="image: 'https:\\\\img.example\\a.png'\n")
    s.article("b", webUrl="https://a.example/x", more=related("https:\\\\\\\\b.example\\\\y"))
    s.article("c", webUrl=None, more="url: 'https:\\\\c.example\\z'\n")
    s.good()
    library = s.load().library
    by_id = {a.id: a for a in library.articles}
    assert by_id["a.md"].url == "https://a.example/x"
    assert by_id["a.md"].keys == by_id["b.md"].keys
    assert by_id["a.md"].images[0].url == "https://img.example/a.png"
    assert by_id["c.md"].url == "https://c.example/z"
    assert [m.url for m in library.members if m.id.startswith("~")] == ["https://b.example/y"]


def test_texts_behind_routes_are_no_story(site: Callable[[], Site]) -> None:
    s = site().article("a", title="Bank fails", webUrl="https://tv.example/video/#/video/business/bank")
    s.article("b", title="Lifeboat crew honoured", webUrl="https://tv.example/video/#/video/local/rescue")
    s.article("c", title="Order of posts", webUrl="https://groups.example/forum/#!topic/jay/8QCI")
    s.article("d", title="Licence of the logo", webUrl="https://groups.example/forum/#!topic/jay/9ZZa")
    assert not s.load().library.stories
    s.article("e", title="Rescue", webUrl="https://www.tv.example/video#/video/local/rescue?utm_source=x")
    assert [len(story.members) for story in s.load().library.stories] == [2]
