"""Headlines in ten languages: two papers on one event, and another article on its subject."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import msgspec
import pytest
from articles import START, article, noise

from newsgen.model import Article
from newsgen.stories import clusterer as stories
from newsgen.stories import words
from newsgen.stories.languages import languages

HEADLINES = [line.split("\t") for line in (Path(__file__).parent / "headlines.tsv").read_text("utf-8").splitlines()]
"""The language; an event in the words of one paper and of another; another article on the subject of the event."""

LANGUAGES = ["ar", "fi", "he", "hi", "ja", "ko", "th", "tr", "vi", "zh"]


def folder(language: str) -> list[Article]:
    """Both papers on twenty events, and as other articles the twenty on the same subjects and forty without any."""
    found, parts = [], []
    for n, (_, one, other, subject) in enumerate(line for line in HEADLINES if line[0] == language):
        for at, title in enumerate((one, other, subject)):
            found.append(article(f"{n:02}{'abc'[at]}", title, hours=2.3 * n + at))
        parts += [*one.split()] if " " in one else [one[i : i + 4] for i in range(0, len(one), 4)]
    # Words of the other articles, put together anew.
    chance = random.Random(3)
    gap = "" if language in ("ja", "th", "zh") else " "
    found += [article(f"x{n:02}", gap.join(chance.sample(parts, 6)), hours=n) for n in range(40)]
    return found


def joined(articles: list[Article]) -> tuple[int, int]:
    """How many of the events are in one story, and how many articles on the same subject are in it."""
    story_of = {m.id: s.id for s in stories.cluster(articles, clock=START).stories for m in s.members}
    events = [f"{n:02}" for n in range(20)]
    right = sum(story_of.get(f"{n}a", 0) == story_of.get(f"{n}b", 1) for n in events)
    wrong = sum(
        f"{n}c" in story_of and story_of[f"{n}c"] in (story_of.get(f"{n}a"), story_of.get(f"{n}b")) for n in events
    )
    return right, wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_papers_on_one_event_are_joined_and_its_subject_is_not(language: str) -> None:
    right, wrong = joined(folder(language))
    assert right >= 16
    assert wrong <= 2


@pytest.mark.parametrize(
    ("declared", "language"), [("nb-NO", "no"), ("nn", "no"), ("PT-BR", "pt"), ("fil", ""), ("frr", ""), ("csb-PL", "")]
)
def test_a_declared_language_is_the_first_part_of_its_tag(declared: str, language: str) -> None:
    assert languages([], declared) == languages([], language)
    assert bool(languages([], declared)) == bool(language)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_vietnamese_is_the_same_in_every_normal_form(form: str) -> None:
    as_written = folder("vi")
    articles = [msgspec.structs.replace(a, title=unicodedata.normalize(form, a.title)) for a in as_written]
    assert joined(articles) == joined(as_written)


def test_two_languages_make_no_story() -> None:
    pair = [
        article("a", "Tokyo 2021: the judoka Orrin Velmora wins gold for Lisk in the final"),
        article("b", "Tokyo 2021: der Judoka Orrin Velmora und das Gold für Lisk im Finale", hours=1),
    ]
    assert joined_pairs([*pair, *noise(60)]) == set()
    assert joined_pairs([pair[0], msgspec.structs.replace(pair[0], id="b"), *noise(60)]) == {("a", "b")}


def joined_pairs(articles: list[Article]) -> set[tuple[str, ...]]:
    found = stories.cluster(articles, clock=START).stories
    return {tuple(sorted(m.id for m in s.members)) for s in found if not s.id.startswith("noise")}


@pytest.mark.parametrize(
    "spellings",
    [
        "أولمبية الأولمبية والأولمبية بالأولمبية للأولمبية وأولمبية",
        "فرنسا وفرنسا",
        "الملك ملك بالملك",
        "دولة الدول دولي",
        "ממשלה והממשלה הממשלה שהממשלה",
        "משבר וּמשבר המשבר",
    ],
)
def test_articles_and_particles_that_are_written_in_one_with_a_word_are_no_part_of_it(spellings: str) -> None:
    stem_of = words.Stems()
    assert len({stem_of[words.lower(word)] for word in words.normal(spellings).split()}) == 1


def test_words_are_not_taken_for_particles() -> None:
    stem_of = words.Stems()
    assert [stem_of[word] for word in ("وزير", "الي", "ال", "هو", "הר", "ושט")] == [
        "وزير",
        "الي",
        "ال",
        "هو",
        "הר",
        "ושט",
    ]
