"""Write N article files of a made-up news aggregator. The same number and seed give the same bytes.

    gen_corpus.py -n 10000 -o content/articles [--flavour newsgen|apart|hugo] [--seed 1]

There are 40 topics, 200 providers and 60 days. Up to twelve articles cover one event, and each lists up to six of the
others in `related` (5.3 on average). 30 % have a short body. A file has about 6.8 KB.

In the flavour "apart", each article names a story of its own, so that newsgen makes a page for each. For Hugo, `date` and `providers` are added, and `type` and `published`, which Hugo interprets itself, are renamed.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import base64
import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

FLAVOURS = ("newsgen", "apart", "hugo")

WORDS = """market report launch regulator company startup data privacy cloud chip security breach funding round
investor quarter revenue growth model research university study scientists team platform users mobile device battery
electric vehicle charging network satellite orbit mission space agency climate energy grid solar policy court ruling
antitrust lawsuit settlement fine merger acquisition deal billion million shares stock analyst forecast inflation
bank rate central currency trade tariff export supply chain factory worker union strike election parliament minister
government senate bill law vote campaign city hospital vaccine trial patient drug approval health disease virus
software update release open source developer tool language browser search engine advertising media streaming video
game console studio film music festival award player league match season coach transfer stadium record world champion
team final storm flood wildfire rescue police investigation suspect border refugee aid summit treaty sanctions military
drone navy missile defence alliance talks ceasefire president premier king prince school teacher student exam housing
rent mortgage transport rail airline airport flight delay pilot safety recall camera robot autonomous voice assistant
facial recognition surveillance public biometric rights watchdog consumer retail store brand price discount holiday
shipping warehouse delivery food restaurant farm crop harvest water river ocean species forest wildlife park tourism
hotel museum history archaeology ancient discovery telescope galaxy planet quantum computing processor memory graphics
laptop tablet phone screen display sensor wearable fitness sleep diet mental brain neural network training benchmark
the of and to a in for is on that by this with from at as are an be or more about after over new could will says how why
what first its their would against under between despite amid while before into out off up down again""".split()  # noqa: SIM905

TOPICS = """AI|Computer Vision|Robotics|Cybersecurity|Privacy|Cloud|Semiconductors|Startups|Venture Capital|Markets|
Economy|Central Banks|Trade|Energy|Climate|Electric Vehicles|Space|Science|Health|Medicine|Politics|Europe|US|Asia|Africa|
Law|Regulation|Social Media|Streaming|Gaming|Film|Music|Football|Basketball|Travel|Food|Education|Housing|Transport|
Open Source""".replace("\n", "").split("|")

UNUSUAL_WORDS = ["—", "’s", "café", "São", "Zürich", "naïve", "東京", "“exclusive”", "£4bn", "€20m", "C++", "AT&T", "<beta>", "🚀"]  # fmt: skip

START = datetime(2025, 9, 1, tzinfo=UTC)
DAYS = 60


class Provider(NamedTuple):
    """A publisher."""

    name: str
    domain: str


class Image(NamedTuple):
    """An image on its publisher's site."""

    url: str
    width: int
    height: int


class Article(NamedTuple):
    """An article without its related articles."""

    stem: str
    title: str
    excerpt: str
    published: datetime
    url: str
    provider: Provider
    quality: int
    heat: int
    topics: tuple[str, ...]
    amp: bool
    image: Image | None
    body: str
    secured: str


def make(n: int, seed: int = 1) -> Iterator[tuple[Article, list[Article]]]:
    """Yields articles, each with its related ones: others about the same event."""
    rng = random.Random(seed)
    providers = _providers(rng, 200)
    weights = [1 / (i + 3) ** 0.7 for i in range(len(providers))]
    count = 0
    while count < n:
        size = min(rng.choice([1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8, 9, 10, 12]), n - count)
        event = list(_event(rng, providers, weights, count, size))
        count += size
        for at, article in enumerate(event):
            yield article, [other for i, other in enumerate(event) if i != at][:6]


def newest(number: int, seed: int = 1) -> Article:
    """A single article, newer than all of `make` and from one of its providers. Each number gives another."""
    known, _ = next(make(1, seed))
    article, _ = next(make(1, seed + 1 + number))
    return article._replace(
        stem=f"new-{number}",
        published=START + timedelta(days=DAYS, minutes=number),
        url=f"https://{known.provider.domain}/new/{number}/",
        provider=known.provider,
    )


def next_day(n: int, number: int, seed: int = 1) -> Iterator[tuple[Article, list[Article]]]:
    """Yields what `make` would, on the day after its last and from its providers. Each number gives another day."""
    known = _providers(random.Random(seed), 200)
    day = START + timedelta(days=DAYS + number)

    def moved(article: Article) -> Article:
        provider = known[article.quality % len(known)]
        return article._replace(
            stem=f"day-{number}-{article.stem}",
            published=day + (article.published - START) / DAYS,
            url=article.url.replace(article.provider.domain, provider.domain),
            provider=provider,
        )

    for article, related in make(n, seed + 1000 + number):
        yield moved(article), [moved(other) for other in related]


def render(article: Article, related: list[Article], flavour: str) -> str:
    """The content of an article's file."""
    date = f"{article.published:%Y-%m-%dT%H:%M:%SZ}"
    kind, published = ("type", "published")
    head = f"category: news\ntitle: {_quoted(article.title)}\n"
    if flavour == "hugo":
        kind, published = ("articleType", "isPublished")
        head += f"date: {date}\nproviders:\n  - {article.provider.name}\n"
    if flavour == "apart":
        head += f"story: {article.stem}\n"
    topics = "".join(f"  - {topic}\n" for topic in article.topics)
    return (
        f"---\n{head}excerpt: {_quoted(article.excerpt)}\npublishedDateTime: {date}\n"
        f"originalUrl: {_quoted(article.url)}\nwebUrl: {_quoted(article.url)}\n{kind}: article\n"
        f"quality: {article.quality}\nheat: {article.heat}\n{published}: true\n\n"
        f"provider:\n  name: {article.provider.name}\n  domain: {article.provider.domain}\n\ntopics:\n{topics}\n"
        f"{_images(article)}\n{_related(related)}\nsecured: {_quoted(article.secured)}\n---\n\n{article.body}\n"
    )


def write(folder: Path, n: int, flavour: str, seed: int = 1) -> int:
    """Writes the files of a corpus. Returns their size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for article, related in make(n, seed):
        size += (folder / f"{article.stem}.md").write_bytes(render(article, related, flavour).encode())
    return size


def _providers(rng: random.Random, n: int) -> list[Provider]:
    kinds = ["daily", "news", "times", "wire", "post", "review", "today", "hub", "journal", "lab"]
    ends = ["com", "com", "com", "org", "net", "co.uk", "eu", "in"]
    found: dict[tuple[str, str], Provider] = {}
    while len(found) < n:
        word, kind = rng.choice(WORDS), rng.choice(kinds)
        if len(word) > 3 and (word, kind) not in found:
            domain = f"{word}{kind}.{rng.choice(ends)}"
            found[word, kind] = Provider(f"{word.title()} {kind.title()}", domain)
    return list(found.values())


def _event(
    rng: random.Random, providers: list[Provider], weights: list[float], first: int, size: int
) -> Iterator[Article]:
    """The articles about one event, within two days and with three words in common."""
    begin = START + timedelta(seconds=rng.randint(0, (DAYS - 2) * 86400))
    topic_weights = [1 / (i + 4) ** 0.6 for i in range(len(TOPICS))]
    topics = tuple(dict.fromkeys(rng.choices(TOPICS, topic_weights, k=rng.choice([1, 2, 2, 3]))))
    common = rng.sample(WORDS[:240], 4)
    for number in range(first, first + size):
        provider = rng.choices(providers, weights)[0]
        title = _sentence(rng, 3, 8) + " " + " ".join(rng.sample(common, 3))
        if rng.random() < 0.1:
            title = title.replace(" ", ": ", 1)
        published = begin + timedelta(seconds=rng.randint(0, 2 * 86400))
        host = rng.choice(["https://" + provider.domain, "https://www." + provider.domain])
        url = f"{host}/{published:%Y/%m/%d}/{_slug(title)[:80]}-{number}/"
        yield Article(
            stem=f"{number:06}-{hashlib.sha256(url.encode()).hexdigest()[:16]}",
            title=title,
            excerpt=_sentence(rng, 16, 42) + ".",
            published=published,
            url=url,
            provider=provider,
            quality=rng.randint(5, 220),
            heat=rng.choice([0, 0, 0, 3, 12]),
            topics=topics,
            amp=rng.random() < 0.6,
            image=_image(rng, host, title, published) if rng.random() < 0.95 else None,
            body=_body(rng, url) if rng.random() < 0.3 else "",
            secured=";".join(base64.b64encode(rng.randbytes(size)).decode() for size in (496, 16)),
        )


def _words(rng: random.Random, least: int, most: int, unusual: float = 0.04) -> str:
    n = rng.randint(least, most)
    out = rng.choices(WORDS, k=n)
    if rng.random() < 0.5:
        out = [rng.choice(UNUSUAL_WORDS) if rng.random() < unusual else word for word in out]
    return " ".join(out)


def _sentence(rng: random.Random, least: int, most: int) -> str:
    words = _words(rng, least, most)
    if rng.random() < 0.12:
        first, rest = words.split(" ", 1)
        words = f'{first} "{rest}"'
    return words[0].upper() + words[1:]


def _image(rng: random.Random, host: str, title: str, published: datetime) -> Image:
    width = rng.choice([800, 1024, 1200, 2048])
    height = width * 9 // 16
    name = f"{_slug(title)[:60]}-{width}x{height}.jpg"
    return Image(f"{host}/wp-content/uploads/{published:%Y/%m}/{name}", width, height)


def _body(rng: random.Random, url: str) -> str:
    """A few paragraphs of Markdown, some with bold text, a link or a list."""
    parts = []
    for _ in range(rng.randint(1, 3)):
        sentences = [_sentence(rng, 8, 18) for _ in range(rng.randint(2, 4))]
        part = ". ".join(sentences).replace("<", "") + "."
        if rng.random() < 0.5:
            part += f" **{_words(rng, 2, 3, 0)}** and [{_words(rng, 2, 4, 0)}]({url})."
        parts.append(part)
    if rng.random() < 0.15:
        parts.append("\n".join("- " + _words(rng, 3, 7, 0) for _ in range(3)))
    return "\n\n".join(parts)


def _images(article: Article, indent: str = "") -> str:
    if not article.image:
        return ""
    url, width, height = article.image
    fields = [f"- url: {_quoted(url)}", f"  width: {width}", f"  height: {height}", "  isCached: true"]
    return f"{indent}images:\n" + "".join(f"{indent}  {field}\n" for field in fields)


def _related(articles: list[Article]) -> str:
    out = ["related:\n"] if articles else []
    for article in articles:
        out.append(
            f"  - title: {_quoted(article.title)}\n    excerpt: {_quoted(article.excerpt)}\n"
            f"    publishedDateTime: {article.published:%Y-%m-%dT%H:%M:%SZ}\n    webUrl: {_quoted(article.url)}\n"
        )
        if article.amp:
            path = article.url.removeprefix("https://")
            copy = path.split("/")[0].replace(".", "-") + ".cdn.example.org/c/s/" + path
            out.append(
                f"    ampWebUrl: {_quoted(article.url + 'amp/')}\n"
                f"    cdnAmpWebUrl: {_quoted('https://' + copy + 'amp/')}\n"
            )
        out.append(
            f"    type: article\n    provider:\n      name: {article.provider.name}\n"
            f"      domain: {article.provider.domain}\n    quality: {article.quality}\n{_images(article, '    ')}"
        )
    return "".join(out)


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalnum() and c.isascii() else " " for c in text.lower()).split())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main() -> None:
    """Writes a corpus and prints its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=1000, help="number of files")
    parser.add_argument("-o", type=Path, required=True, help="the output folder")
    parser.add_argument("--flavour", choices=FLAVOURS, default="newsgen")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    size = write(args.o, args.n, args.flavour, args.seed)
    print(f"{args.n} files, {size / args.n:.0f} bytes on average")


if __name__ == "__main__":
    main()
