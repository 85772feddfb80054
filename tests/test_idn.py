from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sites import Site

from newsgen import canonical, idn


@pytest.mark.parametrize(
    ("host", "language"),
    [
        ("müller.example", "en"),
        ("faß.example", "de"),
        ("пример.рф", "en"),
        ("пример.ru", "en"),
        ("пример.example", "ru"),
        ("пример.example", "uk-UA"),
        ("газета.укр", "en"),
        ("εφημερίδα.gr", "en"),
        ("신문.kr", "en"),
        ("新聞.tw", "en"),
        ("ニュース新聞abc.jp", "en"),
        ("例え.テスト", "en"),
        ("أخبار.eg", "en"),
        ("समाचार.in", "en"),
        ("ข่าว.th", "en"),
        ("קו.il", "en"),
        ("kısa.tr", "en"),
        ("tiếng.vn", "en"),
        ("news.example", "en"),
    ],
)
def test_a_host_is_shown_in_the_script_of_its_domain_or_of_the_site(host: str, language: str) -> None:
    assert idn.shown(canonical.host(host), language) == host


@pytest.mark.parametrize(
    ("host", "language"),
    [
        ("аpple.com", "en"),  # Cyrillic а
        ("аpple.com", "ru"),
        ("аррӏе.com", "en"),  # Cyrillic only
        ("аррӏе.com", "ru"),
        ("пример.com", "en"),
        ("пример.example", "sr-Latn"),
        ("εφημερίδα.example", "ru"),
        ("εxample.gr", "en"),
        ("新聞.example", "en"),
        ("ɢoogle.com", "en"),
        ("wıkı.com", "en"),
        ("пример新聞.ru", "ja"),
        ("مثال.com", "en"),
        ("ⅳ१.in", "hi"),
    ],
)
def test_any_other_host_stays_in_punycode(host: str, language: str) -> None:
    name = canonical.host(host)
    assert name.startswith("xn--") or name.isascii()
    assert idn.shown(name, language) == name


def test_labels_are_judged_one_by_one() -> None:
    assert idn.shown(canonical.host("аpple.пример.рф"), "en") == "xn--pple-43d.пример.рф"
    assert idn.shown("xn--a.xn--\x80.xn--.example") == "xn--a.xn--\x80.xn--.example"


@given(st.text(max_size=12), st.sampled_from(["en", "ru", "ja", "", "x"]))
def test_what_is_shown_is_the_same_host(name: str, language: str) -> None:
    host = canonical.host(f"{name}.рф")
    assert canonical.host(idn.shown(host, language)) == host
    idn.shown(name, language)


def test_pages_show_hosts_in_their_script(site: Callable[[], Site]) -> None:
    s = site().article("a", webUrl="https://пример.рф/1").article("b", webUrl="https://аpple.com/1")
    s.article("c", webUrl="https://müller.example/1")
    s.good()
    sources = s.read("sources/index.html")
    assert ">пример.рф</a>" in sources
    assert ">müller.example</a>" in sources
    assert "аpple" not in sources
    assert ">xn--pple-43d.com</a>" in sources
    assert ">пример.рф</a></p>" in s.read("providers/xn--e1afmkfd.xn--p1ai/index.html")
