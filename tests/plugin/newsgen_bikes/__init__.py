"""A newsgen plugin for sites on bicycles: a topic, pages of tours by region, and a filter for distances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from newsgen import Article, Loaded, Page, Plugin, PluginLibrary, Problem
from newsgen_bikes.distances import kilometres


class Bikes(Plugin):
    """Articles with a `distance` are about touring. The file `plugins/regions.txt` lists the regions, one a line."""

    sections = ("topic touring",)

    def topics(self, article: Article) -> Iterable[str]:
        return ["Touring"] if "distance" in dict(article.extra) else []

    def pages(self, library: PluginLibrary) -> Iterator[Page]:
        tours = defaultdict(list)
        section = library.section("topic", "touring")
        for member in section.members if section else ():
            found = (region for region in self.regions() if region.lower() in member.title.lower())
            distance = dict(member.extra).get("distance") if isinstance(member, Article) else None
            tours[next(found, "Elsewhere")].append({"card": library.card(member), "distance": distance})
        yield Page(path="tours/index.html", template="bikes/tours.html", title="Tours by region", data=tours)
        yield Page(path="tours.json", template="bikes/tours.json", data={name: len(tours[name]) for name in tours})

    def regions(self) -> list[str]:
        return self.files.get("regions.txt", b"").decode().split()

    def filters(self) -> Mapping[str, Callable[..., str]]:
        return {"km": kilometres}

    def check(self, site: Loaded) -> Iterator[Problem]:
        for article in site.articles():
            distance = dict(article.extra).get("distance", 0)
            if not isinstance(distance, int | float):
                yield Problem(path=f"content/{article.id}", field="distance", what=f"{distance!r} is not a number")
