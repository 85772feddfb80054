"""The files of the search: each word leads to its articles, and an edit changes the files of its day only."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sites import Site

from newsgen.pages import postings, search
from newsgen.stories import search_words

Make = Callable[..., Site]
START = datetime(2026, 10, 28, tzinfo=UTC)
SUBJECTS = [
    "Bridge closes in Velmora",
    "أمطار غزيرة في ليسك",
    "橋が開いたまま動かない",
    "สะพานเปิดค้างกลางแม่น้ำ",
    "Élodie Brûlé à l'école",
]


def many(s: Site, count: int, hours: float) -> Site:
    for n in range(count):
        s.article(
            f"n{n:04}",
            title=f"{SUBJECTS[n % 5]} {n:04}x",
            excerpt=f"Excerpt about Quox{n % 7} and the wires",
            publishedDateTime=f"{START + timedelta(hours=n * hours):%Y-%m-%dT%H:%M:%SZ}",
            webUrl=f"https://p{n % 6}.example/{n}",
            topics=f"[Topic{n % 3}]",
            standalone="true",
            more=f"provider: {{name: Paper {n % 6}, domain: p{n % 6}.example}}\n",
        )
    return s


def numbers(written: str) -> list[int]:
    found, number = [], 0
    for digit in written:
        value = postings.DIGITS.index(digit)
        number = number * 32 + value % 32
        if value < 32:
            found.append(number)
            number = 0
    return found


def found(root: Path) -> dict[str, set[str]]:
    """The titles that each word leads to, read as the script reads them."""
    titles: dict[str, set[str]] = {}
    for key, shards, days in json.loads((root / "index.json").read_bytes())["periods"]:
        for at in range(shards):
            file = json.loads((root / key / f"w{at}.json").read_bytes())
            assert file["shards"] == shards
            documents: list[list[str]] = []
            for day, sizes, ids in file["days"]:
                assert day in days
                for number, size in enumerate(numbers(sizes)):
                    block = json.loads((root / day / f"{number}.json").read_bytes())
                    assert block["id"] == ids[4 * number : 4 * number + 4]
                    assert len(block["results"]) == size
                    documents += [[report[0] for report in result[2]] for result in block["results"]]
            word = ""
            for line in file["words"].split("\n") if file["words"] else ():
                head, *levels = line.split(" ")
                word = word[: postings.DIGITS.index(head[0])] + head[1:]
                for level in levels:
                    at_document = -1
                    for difference in numbers(level):
                        at_document += difference + 1
                        titles.setdefault(word, set()).update(documents[at_document])
    return titles


@pytest.mark.parametrize(("count", "hours"), [(90, 1.5), (500, 0.02)])
def test_every_word_leads_to_its_articles(
    site: Make, monkeypatch: pytest.MonkeyPatch, count: int, hours: float
) -> None:
    monkeypatch.setattr(search, "SHARD", 20)
    s = many(site("-- site.toml --\n"), count, hours)
    s.good()
    titles = found(s.output / "search")
    for n in range(count):
        title = f"{SUBJECTS[n % 5]} {n:04}x"
        words = [*search_words(title), f"quox{n % 7}", "paper", f"topic{n % 3}"]
        assert all(title in titles[word] for word in words), (title, words)
    assert not {"and", "the"} & titles.keys()
    columns = json.loads(next((s.output / "search").glob("2026-*/facets.json")).read_bytes())
    assert columns["topics"] == ["Topic0", "Topic1", "Topic2"]
    assert len(columns["ofSources"].split(",")) == len(columns["ofTopics"].split(","))


def test_an_edit_changes_the_files_of_its_day_and_gives_those_of_a_clean_build(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHARD", 10)
    s = many(site("-- site.toml --\n"), 150, 0.75)
    s.good()

    def written(name: str, when: str) -> set[str]:
        s.article(name, title=f"Quokka crosses {name}", publishedDateTime=when, webUrl=f"https://p1.example/{name}")
        report = s.good()
        assert s.build(output=s.root / "clean").rendered
        assert {p: t for p, t in s.tree().items() if p.startswith("search/")} == {
            p: t for p, t in s.tree(s.root / "clean").items() if p.startswith("search/")
        }
        return {path for path in [*report.written, *report.pruned] if path.startswith("search/")}

    newest = written("open", "2026-11-01T20:00:00Z")
    assert {path.split("/")[1] for path in newest} <= {"2026-11-01", "names"}
    assert len(newest) <= 8
    late = written("late", "2026-10-29T13:00:00Z")
    assert {path.split("/")[1] for path in late} == {"2026-10", "2026-10-29"}
    assert len(late) <= 40
    first = written("first", "2026-11-02T01:00:00Z")
    assert {path.split("/")[1] for path in first} <= {"index.json", "2026-11", "2026-11-01", "2026-11-02"}
    assert len(first) <= 60
    (s.root / "content/first.md").unlink()
    s.good()
    assert not (s.output / "search/2026-11-02").exists()
    assert (s.output / "search/2026-11-01/w0.json").exists()


def test_another_title_or_topic_of_an_old_article_changes_the_files_of_its_words_only(
    site: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SHARD", 4)
    s = many(site("-- site.toml --\n"), 60, 1.9)
    s.good()

    def written(**fields: str) -> set[str]:
        s.article("n0009", publishedDateTime="2026-10-28T17:00:00Z", webUrl="https://p3.example/9", **fields)
        report = s.good()
        assert s.build(output=s.root / "clean").rendered
        assert {p: t for p, t in s.tree().items() if p.startswith("search/")} == {
            p: t for p, t in s.tree(s.root / "clean").items() if p.startswith("search/")
        }
        return {path for path in [*report.written, *report.pruned] if path.startswith("search/2026-10/w")}

    written(title="Bridge closes in Velmora 0040x")
    assert len(written(title="Bridge closes in Velmora 0040y")) == 1
    assert 2 <= len(written(title="Quokka closes in Velmora 0040y")) <= 3
    (s.output / "search/2026-10/w3.json").unlink()
    assert written(title="Quokka closes in Velmora 0040y", topics="[Zebras]") >= {"search/2026-10/w3.json"}


def test_an_edit_of_written_words_gives_what_is_written_at_once() -> None:
    levels = {"apple": [[0, 40, 2000], [], [7]], "apply": [[3], [4], []], "𠀀𠀁": [[], [], [5]]}
    text = postings.write({word: postings.documents(found) for word, found in levels.items()})
    edits = [
        postings.Edit("apply", 0, 3, False),
        postings.Edit("apply", 1, 4, False),
        postings.Edit("apple", 1, 33, True),
        postings.Edit("apple", 0, 40, False),
        postings.Edit("zebra", 2, 1025, True),
    ]
    levels |= {"apple": [[0, 2000], [33], [7]], "zebra": [[], [], [1025]]}
    del levels["apply"]
    assert postings.edit(text, edits) == postings.write({word: postings.documents(of) for word, of in levels.items()})
    assert postings.edit(postings.edit("", edits[2:3]), [edits[2]._replace(added=False)]) == ""


def test_a_story_is_one_result_a_day_with_its_reports(site: Make) -> None:
    s = site("-- site.toml --\n")
    for n, when in enumerate(["08T10:00", "08T11:00", "09T09:00"]):
        s.article(f"a{n}", title=f"Report {n}", story="x", publishedDateTime=f"2026-11-{when}:00Z")
    s.good()
    days = [json.loads(s.read(f"search/2026-11-{day}/0.json"))["results"] for day in ("08", "09")]
    assert [[(url, is_in, [r[:3] for r in reports]) for url, is_in, reports in day] for day in days] == [
        [("/2026/11/08/a0/", 1, [["Report 1", "a1.example", "11:00"], ["Report 0", "a0.example", "10:00"]])],
        [("/2026/11/08/a0/", 1, [["Report 2", "a2.example", "09:00"]])],
    ]


def test_blocks_are_of_bounded_size_and_a_new_document_moves_few() -> None:
    def documents(numbers: range | list[int]) -> list[list[search.Report]]:
        report = search.SearchReport(title="", source="", time="", lang="")
        return [[search.Report(START, f"https://a.example/{n}", False, report, (), "", "")] for n in numbers]

    blocks = list(search._blocks(documents(range(1000))))
    assert sum(map(len, blocks)) == 1000
    assert all(search.BLOCK <= len(block) <= search.LARGE_BLOCK for block in blocks[:-1])
    with_one = list(search._blocks(documents([*range(500), 5000, *range(500, 1000)])))
    ids = set(map(search._id, blocks))
    assert len([block for block in with_one if search._id(block) not in ids]) <= 3
