"""Words and phrases in texts of any script."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.phrases import Phrases, fold


def has(text: str, phrase: str) -> bool:
    return Phrases([phrase]).first(fold(text)) == phrase


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("Rad", "Das Rad rollt"),
        ("rad", "RAD: neu"),
        ("cargo bike", "Cargo  Bikes? A cargo\n bike!"),
        ("e-bike", "An E‑Bike"),  # U+2011
        ("e–bike", "An e-bike"),
        ("l'Europe", "pour l’Europe"),
        ("Europe", "pour l’Europe"),
        ("STRASSE", "Die Straße"),
        ("cafe\u0301", "Das Café"),
        ("istanbul", "İSTANBUL"),
        ("ısparta", "ISPARTA"),
        ("C++", "in C++, again"),
        ("5G", "５Ｇ networks"),
        ("自行车", "北京自行车道"),
        ("AI", "生成AIが"),
        ("自転車", "この自転車の話"),
        ("จักรยาน", "ขี่จักรยานไป"),
        ("서울", "서울은 크다"),
        ("مدينة", "في مدينة كبيرة"),
        ("खेल", "नया खेल है"),
    ],
)
def test_a_phrase_is_found_in_any_spelling(phrase: str, text: str) -> None:
    assert has(text, phrase)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("rad", "Radio"),
        ("rad", "Kamerad"),
        ("rad", "Damenfahrrad"),
        ("bike", "bikes"),
        ("5G", "15G"),
        ("cafe", "café"),
        ("खे", "खेल"),
        ("남", "강남"),
        ("rad", "ra d"),
    ],
)
def test_a_part_of_a_word_is_not_a_word(phrase: str, text: str) -> None:
    assert not has(text, phrase)


def test_the_first_phrase_in_the_given_order_is_named_as_it_is_written() -> None:
    assert Phrases(["Tram", "Ferry", ""]).first(fold("a ferry and a tram")) == "Tram"
    assert Phrases(["Tram"]).first(fold("a ferry")) == ""
    assert not Phrases(["", " "])


@given(st.text(min_size=1), st.text())
def test_every_phrase_is_found_in_itself_between_spaces(phrase: str, around: str) -> None:
    if fold(phrase) and fold(phrase) == fold(fold(phrase)):
        assert has(f"{around} {phrase} {around}", phrase)


def test_a_search_takes_linear_time() -> None:
    phrases, text = Phrases(["aa"]), fold("a" * 200_000)
    started = time.perf_counter()
    assert not phrases.first(text)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("phrase", "words"),
    [("AI", "AI가 바꾸는 세상"), ("BTS", "BTS는 간다"), ("كتاب", "كتــاب جديد"), ("كتاب", "كِتاب"), ('ק"מ', "5 ק״מ")],
)
def test_particles_and_marks_that_most_texts_leave_out_do_not_hide_a_word(phrase: str, words: str) -> None:
    assert Phrases([phrase]).first(fold(words)) == phrase
