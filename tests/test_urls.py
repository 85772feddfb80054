"""Addresses: one spelling of what people write, links and output files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen import urls


@pytest.mark.parametrize(
    ("written", "link", "file"),
    [
        ("/img/my photo.jpg", "/img/my%20photo.jpg", "img/my photo.jpg"),
        ("/img/my%20photo.jpg", "/img/my%20photo.jpg", "img/my photo.jpg"),
        ("/café/", "/caf%C3%A9/", "café/index.html"),
        ("/caf%C3%A9/", "/caf%C3%A9/", "café/index.html"),
        ("/caf%c3%a9/", "/caf%C3%A9/", "café/index.html"),
        ("/caf%E9/", "/caf%E9/", "caf\ufffd/index.html"),
        ("/a.jpg?v=2&w=a%26b#top", "/a.jpg?v=2&w=a%26b#top", "a.jpg"),
        ("/a%3Fb%23c.jpg", "/a%3Fb%23c.jpg", "a?b#c.jpg"),
        ("/100%/", "/100%25/", "100%/index.html"),
        ("/100%25/", "/100%25/", "100%/index.html"),
        ("/a%2Fb%2B+c", "/a%2Fb%2B+c", "a/b++c"),
        ('/it\'s "x" <y>', "/it's%20%22x%22%20%3Cy%3E", 'it\'s "x" <y>'),
        ("/at 7.30\u202fPM.png", "/at%207.30%E2%80%AFPM.png", "at 7.30\u202fPM.png"),
        ("/img\\a.jpg", "/img/a.jpg", "img/a.jpg"),
        ("/", "/", "index.html"),
    ],
)
def test_an_address_that_a_person_wrote_has_one_spelling(written: str, link: str, file: str) -> None:
    address = urls.spelled(written)
    assert urls.href(address) == link
    assert urls.href(address, "/sub/") == "/sub" + link
    assert urls.absolute(address, "https://a.example/sub") == "https://a.example/sub" + link
    assert urls.path(address) == file
    assert urls.spelled(link) == urls.spelled(address) == address


@pytest.mark.parametrize(
    "written",
    ["", "a.jpg", "//x.example/", "/\\x.example/", "\\\\x.example", "/a\nb", "/a\x00", "/\ud800", "https://x.example/"],
)
def test_what_leads_off_the_site_is_no_address(written: str) -> None:
    assert urls.spelled(written) == ""


@given(st.text())
def test_links_are_ascii_without_spaces_and_spelling_is_stable(text: str) -> None:
    address = urls.spelled("/" + text)
    if address:
        link = urls.href(address)
        assert link.isascii()
        assert " " not in link
        assert urls.href(link) == link
        assert urls.spelled(link) == urls.spelled(address)
        assert urls.path(link) == urls.path(address)


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\"), min_size=1))
def test_the_address_of_a_file_leads_to_the_file(name: str) -> None:
    assert urls.path(urls.address(f"static/{name}")) == f"static/{name}"
    assert urls.path(urls.href(urls.address(f"static/{name}"))) == f"static/{name}"
