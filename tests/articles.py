"""Articles in memory, for tests that need no files."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from newsgen.model import Article, RelatedEntries

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


def article(
    id: str, title: str, excerpt: str = "", *, hours: float = 0, provider: str = "", story: str = ""
) -> Article:
    return Article(
        id=id, slug=id, title=title, excerpt=excerpt, published=START + timedelta(hours=hours), updated=None, expires=None, url=f"https://x.example/{id}",
        keys=(f"x.example/{id}",), provider=provider or f"{id}.example", provider_name="", category="", topics=(), type="article", quality=None,
        heat=None, images=(), related=RelatedEntries(), embed="", story=story, pin=None, lang="", dir="", aliases=(), body="", extra=(),
        held=False, draft=False, blocked=False,
    )  # fmt: skip


def word(number: int) -> str:
    """A unique seven-letter word for each number. No two begin with the same five letters."""
    letters = ""
    for _ in range(5):
        number, rest = divmod(number, 26)
        letters += chr(97 + rest)
    return letters + "ta"


def noise(count: int, *, days: int = 5, seed: int = 1) -> list[Article]:
    """Articles with random words, of which hardly any two articles share one."""
    rng = random.Random(seed)

    def words(n: int) -> str:
        return " ".join(word(rng.randrange(26**5)) for _ in range(n))

    return [article(f"noise{n}", words(7), words(15), hours=rng.random() * days * 24) for n in range(count)]
