import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen import text


@pytest.mark.parametrize(
    ("given_text", "plain"),
    [
        ("Fish &amp; chips", "Fish & chips"),
        ("&amp;lt;b&amp;gt; stays decoded once", "&lt;b&gt; stays decoded once"),
        ("&lt;b&gt; is what the writer meant", "<b> is what the writer meant"),
        ("<b>Bold</b> and <a href='x'>linked</a>", "Bold and linked"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("a<script>alert(1)</script>b", "ab"),
        ("never closed <script>alert(1)", "never closed <script>alert(1)"),
        ("one\u00a0two\n\tthree  four ", "one two three four"),
        ("bell\x07 and lone \ud800 surrogate", "bell and lone surrogate"),
    ],
)
def test_plain_strips_tags_and_decodes_entities_once(given_text: str, plain: str) -> None:
    assert text.plain(given_text) == plain


@given(st.text())
def test_plain_text_is_valid_in_utf_8_and_xml(value: str) -> None:
    plain = text.plain(value)
    plain.encode("utf-8")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\ufffe\uffff" for c in plain)
    assert plain == plain.strip()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Computer Vision", "computer-vision"),
        ("C++", "c-plus-plus"),
        ("C#", "c-sharp"),
        ("The #ferry is #1", "the-ferry-is-1"),
        ("ΠΛΟΊΑ ΤΗΣ Σάμος", "πλοία-της-σάμος"),
        ("C", "c"),
        ("  Größe & Maß  ", "grösse-mass"),
        ("北京 奥运", "北京-奥运"),
        ("हिन्दी समाचार", "हिन्दी-समाचार"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_a_slug_keeps_only_letters_marks_and_digits_of_every_script(name: str, slug: str) -> None:
    assert text.slug(name) == slug


def test_names_without_letters_have_different_slugs() -> None:
    assert text.slug("🚀") != text.slug("🎉")
    assert text.slug("🚀").startswith("n-")


@given(st.text())
def test_a_slug_is_a_safe_path_segment(name: str) -> None:
    slug = text.slug(name)
    assert slug
    assert len(slug.encode()) <= text.SLUG_BYTES
    assert not set(slug) & set("/\\.:?#%&\0 \n")
    assert text.slug(slug) == slug or slug.startswith("n-") or len(slug.encode()) > text.SLUG_BYTES - 8


def test_text_is_shortened_between_words() -> None:
    assert text.shorten("The quick brown fox", 12) == "The quick…"
    assert text.shorten("The quick brown fox", 19) == "The quick brown fox"
    assert text.shorten("東京の新しい駅が開業した", 6) == "東京の新し…"
