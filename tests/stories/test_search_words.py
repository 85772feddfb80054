"""The words by which texts are found. tests/browser/test_search.py compares them with those of the script."""

import pytest

from newsgen.stories import search_words

WORDS = {
    "Ministers’ U.S. trip—delayed": ["ministers", "us", "trip", "delayed"],
    "Élodie's CAFÉ, naïve façade": ["elodie", "cafe", "naive", "facade"],
    "Straße ΟΔΥΣΣΕΥΣ İzmir ılık ﬁn": ["strasse", "οδυσσευσ", "izmir", "ilik", "fin"],
    "internationalisation": ["internatio"],
    "Ёлка й": ["елка"],
    "東京タワー": ["東京", "京タ", "タワ", "ワー", "東", "京"],
    "橋": ["橋"],
    "서울": ["서울"],
    "เปิด": ["เป", "ปิ", "ิด"],
    "مُدَرِّسة": ["مدرسة"],
    "أولمبية آلاف إلى مؤتمر": ["اولمبية", "الاف", "الى", "موتمر"],
    "हिन्दी में": ["हिन्दी", "में"],
    "5G, B-52 and C++ at 9.30": ["5g", "52", "and", "at", "930"],
    "": [],
    "— … !": [],
}


@pytest.mark.parametrize("text", WORDS)
def test_words_are_folded_and_scripts_without_spaces_are_cut(text: str) -> None:
    assert search_words(text) == WORDS[text]


def test_short_words_of_excerpts_are_left_out_but_not_names() -> None:
    text = "With the UK and Iran in a 5g row, The Sun says many talked to 東京"
    assert search_words(text, short=False) == ["東京", "with", "uk", "iran", "5g", "talked"]
