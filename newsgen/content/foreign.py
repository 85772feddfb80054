"""Renames the fields of other generators to ours: other names, other spellings, tables inside the front matter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from newsgen import canonical, config
from newsgen.content.fields import AboutFile, ArticleFile, FeedFile, ImageFile, is_web
from newsgen.validation import Faults
from newsgen.validation import Path as At

IGNORED = {
    "several": "canonical comment comments featured id image_alt image_caption guid uid uuid layout license locale language math menu meta nav "
    "nav_order noindex order permalink pinned position priority robots seo series slug sticky subtitle template theme toc weight",
    "Jekyll": "author_profile bigimg breadcrumbs canonical_url classes cover-img excerpt_separator gallery header hidden "
    "media_subpath mathjax mermaid meta_description meta_title parent_id post_id read_time readtime render_with_liquid "
    "share share-img sidebar sitemap social social-share tagline thumbnail-img toc_icon toc_label toc_sticky twitter "
    "wordpress_id wordpress_url",
    "Hugo": "_build build canonicalURL cascade disableHLJS disableShare editPost extra headless hidemeta hideSummary "
    "isCJKLanguage katex lightgallery linkTitle markup menus outputs params resources searchHidden ShowBreadCrumbs "
    "ShowPostNavLinks ShowReadingTime ShowToc ShowWordCount TocOpen translationKey",
    "Zola": "generate_feeds in_search_index insert_anchor_links page_template paginate_by path render sort_by taxonomies "
    "transparent",
    "Hexo": "abbrlink copyright disableNunjucks photos top top_img",
    "Eleventy": "eleventyComputed eleventyExcludeFromCollections eleventyNavigation pagination templateEngineOverride",
    "Astro": "components editUrl head heroImageAlt hero imageAlt next ogImage pagefind prev tableOfContents timezone",
    "Docusaurus": "author_image_url author_title author_url custom_edit_url displayed_sidebar hide_table_of_contents "
    "hide_title last_update pagination_label pagination_next pagination_prev parse_number_prefixes "
    "sidebar_class_name sidebar_custom_props sidebar_label sidebar_position title_meta toc_max_heading_level "
    "toc_min_heading_level",
    "MkDocs Material": "boost hide icon links pin_until search",
    "Obsidian": "cssclass cssclasses up",
    "Pelican": "save_as translation",
    "Nikola": "crosspost_url data enclosure filters has_math hidetitle nocomments pretty_url retired url_type",
    "Ghost": "codeinjection_foot codeinjection_head comment_id custom_template email_only og_description og_image "
    "og_title primary_tag twitter_description twitter_image twitter_title",
}
"""Fields that mean nothing here and get no warning, by the generator that has them. They are kept in `extra`."""

HELD = {
    "status": "draft private hidden pending scheduled future trash unpublished unlisted archived review",
    "visibility": "private members paid tiers hidden password unlisted",
    "private": "true",
    "unlisted": "true",
    "unpublished": "true",
    "isDraft": "true",
    "wip": "true",
    "publish": "false",
    "isPublished": "false",
}
"""Fields that make an article a draft, with the values that do. A `password` does so with any value."""

_TABLES = frozenset({"taxonomies", "params", "extra"})
"""Tables whose entries are fields: of Zola (taxonomies, extra) and Hugo (params)."""
_SPACED_NAMES = frozenset({"tags", "categories"})
_SPACED_BY = frozenset({"layout", "cssclass", "cssclasses"})
"""Jekyll and Obsidian split a text of tags or categories at spaces. Their files have one of these fields."""
_ARTICLE_TYPES = ("post", "posts", "text")
"""Values of `type` in WordPress, Hugo and Nikola that say no more than that the file is an article."""
_PICTURE = {
    "url": ("url", "path", "src", "image", "href", "file"),
    "title": ("alt", "title", "caption"),
    "attribution": ("attribution", "credit"),
}
_PICTURE_FIELDS = {field.encode_name for field in msgspec.structs.fields(ImageFile)}
_TIMES = frozenset({"publishedDateTime", "updatedDateTime", "publishDate", "expiryDate", "pin"})
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})


@lru_cache(maxsize=1 << 10)
def fold(name: str) -> str:
    """The name as it is compared: without case, hyphens, underscores and spaces."""
    return re.sub("[-_ ]", "", name).lower()


class Translator:
    """Renames the fields of one kind of file. `names` are the other names of our fields, `host` is the site's own."""

    def __init__(self, names: config.Fields, kind: type[ArticleFile | AboutFile | FeedFile], host: str = "") -> None:
        self._host = canonical.host(host)
        self._types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        self._names = {fold(name): (-1, name) for name in self._types}
        foreign = {name: row for name, row in names.by_foreign_name().items() if row[1] in self._types}
        for name, row in foreign.items():
            self._names.setdefault(fold(name), row)
        self._spellings = self._types.keys() | foreign.keys()

    def translate(
        self, values: dict[str, Any], foreign: dict[str, At], wrong: Faults, *, header: bool = False
    ) -> dict[str, Any]:
        """Renames fields in place. Removes and returns all unknown ones.

        Adds the place in the file of each renamed field to `foreign`. In a `header` all values are text.
        """
        rest: dict[str, Any] = {}
        if unknown := values.keys() - self._types:
            found = {name: values.pop(name) for name in unknown}
            folded = {fold(name) for name in unknown}
            # In a file exported from WordPress, `link` is the post's own address.
            own = {"link": found.pop("link")} if "wordpressid" in folded and "link" in found else {}
            spaced = not folded.isdisjoint(_SPACED_BY)
            rest = own | self._rename(found, (), values, foreign, wrong, spaced=spaced)
            for name in sorted(rest):
                table = rest[name]
                if isinstance(table, dict) and (fold(name) in _TABLES or self._ours(name) == "publishedDateTime"):
                    rest[name] = self._rename(table, (name,), values, foreign, wrong)
                    if not rest[name]:
                        del rest[name]
            if "publishedDateTime" in self._types and "publishedDateTime" not in values and (day := _day(rest)):
                values["publishedDateTime"] = day
            if "lang" in self._types and not values.get("lang") and (tag := _tag(rest)):
                values["lang"] = tag
            if "draft" in self._types and any(_holds(fold(name), value) for name, value in rest.items()):
                values["draft"] = True
        if header:
            for name, value in values.items():
                if isinstance(value, str):
                    values[name] = self._from_text(name, value)
        if values.get("type") in _ARTICLE_TYPES:
            del values["type"]
        if fold(str(foreign.get("category", ("",))[-1])) == "categories":  # Hexo: [[Sport, Rowing], Diary]
            rows = values["category"]
            if isinstance(rows, list) and any(isinstance(row, list) for row in rows):
                values["category"] = [part for row in rows for part in (row if isinstance(row, list) else [row])]
        images = values.get("images")
        if isinstance(images, dict):
            values["images"] = _picture(images)
        elif isinstance(images, list) and any(
            isinstance(row, dict) and not row.keys() <= _PICTURE_FIELDS for row in images
        ):
            values["images"] = [*map(_picture, images)]
        when = values.get("published", True)
        if when is not True and isinstance(when, date | str) and re.match(r"\d{4}-\d\d?-", str(when)):
            # The article stays held: nobody can tell whether the date has come.
            wrong.add(("published",), f"{str(when)[:40]!r} is a date", "write it as publishedDateTime")
            values["published"] = False
        if "aliases" in values:
            _remove_titles(values, wrong)
        return rest

    def knows(self, name: str) -> bool:
        """Whether the name is one of our fields or another name of one."""
        return fold(name) in self._names

    def _ours(self, name: str) -> str:
        return self._names.get(fold(name), (0, ""))[1]

    def _rename(
        self,
        found: dict[str, Any],
        at: At,
        values: dict[str, Any],
        foreign: dict[str, At],
        wrong: Faults,
        *,
        spaced: bool = False,
    ) -> dict[str, Any]:
        """Moves the fields in `found`, a table at `at` in the file or all of it, to `values`. Returns what is left."""
        rest = {}
        renamed = {} if at else {fold(name): name for name in values}

        def rank(name: str) -> tuple[Any, ...]:
            return self._names.get(fold(name), (0, ""))[0], name not in self._spellings, name

        for name in sorted(filter(_is_text, found), key=rank):
            value, folded = found[name], fold(name)
            ours = self._ours(name)
            if folded == "secured" or value is None:
                continue
            if ours and folded in renamed:
                what = f"the file has it twice, as {renamed[folded]!r} and as {name[:60]!r}"
                wrong.add((ours,), what, "keep one of the two")
            elif not ours or ours in values or not self._fits(ours, folded, value, is_entry=bool(at)):
                rest[name] = value
            else:
                if spaced and folded in _SPACED_NAMES and isinstance(value, str) and "," not in value:
                    value = value.split()
                values[ours] = value
                foreign[ours] = (*at, name)
                renamed[folded] = name
        return rest

    def _fits(self, ours: str, folded: str, value: Any, *, is_entry: bool) -> bool:
        """Whether the value may be meant for our field. In other generators some names have other meanings too."""
        kind = self._types[ours]
        if is_entry and ours not in ("published", "draft"):
            # An entry of a table may belong to a theme.
            if ours in _TIMES and not isinstance(value, str | date):
                return False
            try:
                msgspec.convert(_picture(value) if ours == "images" else value, kind)
            except (msgspec.ValidationError, OverflowError):
                return False
        if folded == fold(ours):
            return True
        if value == "" or (ours == "publishedDateTime" and isinstance(value, dict)):
            return False
        if ours == "images":  # such as `cover: false`, or a table without an address
            return not isinstance(value, bool) and not (isinstance(value, dict) and "url" not in _picture(value))
        if ours == "author":  # a theme's own table or key, which names nobody
            return all(isinstance(row, str) or _named(row) for row in (value if isinstance(value, list) else [value]))
        # `url` and `link` may be the page's own address: a path or, as in WordPress, all of it.
        return ours != "webUrl" or (is_web(value) and not (self._host and _host(value) == self._host))

    def _from_text(self, name: str, value: str) -> Any:
        kind = self._types.get(name)
        if kind is bool:
            return True if value.lower() in _TRUE else False if value.lower() in _FALSE else value
        if name in ("topics", "aliases"):
            return [part.strip() for part in re.split(r"[;\n]" if ";" in value else r"[,\n]", value) if part.strip()]
        if name == "author":  # "Lee, Ann" is one author
            return [part.strip() for part in value.split(";") if part.strip()]
        if name in _TIMES:  # Nikola writes `UTC` and `UTC+01:00`
            return re.sub(r"UTC([+-]?)", lambda zone: zone[1] or "Z", value)
        if name in ("quality", "heat"):
            number = re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?", value, re.ASCII)
            return (float(value) if number[1] else int(value)) if number else value
        return value


def _is_text(name: Any) -> bool:
    return isinstance(name, str)


def _named(author: Any) -> bool:
    return isinstance(author, dict) and isinstance(author.get("name"), str)


def _host(address: str) -> str:
    try:
        return canonical.host(urlsplit(address.strip()).hostname or "")
    except ValueError:
        return ""


def _day(rest: dict[str, Any]) -> str:
    """The day in the page's own address, such as `path = "2026/11/08/name"`; "" if it has none."""
    for name in ("path", "permalink", "url"):
        found = re.search(r"(?:^|/)(\d{4}/\d{2}/\d{2})/", value) if isinstance(value := rest.get(name), str) else None
        if found:
            return found[1].replace("/", "-")
    return ""


def _tag(rest: dict[str, Any]) -> str:
    """The language tag in another field for it, such as `locale: pt_BR`; "" if there is none."""
    for name in ("language", "locale"):
        if isinstance(value := rest.get(name), str) and re.fullmatch(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?", value):
            return value.replace("_", "-")
    return ""


def _holds(folded: str, value: Any) -> bool:
    if folded == "password":
        return bool(value)
    return str(value).strip().lower() in _HELD.get(folded, ())


def _picture(row: Any) -> Any:
    """A picture with our names: others write `{src, alt}`, `{path, alt}` or `{image, caption}`."""
    if not isinstance(row, dict) or row.keys() <= _PICTURE_FIELDS:
        return row
    given = {fold(name): value for name, value in row.items() if _is_text(name)}
    named = {ours: value for ours, names in _PICTURE.items() if (value := _first(given, names)) is not None}
    return {**named, **row}


def _first(given: dict[str, Any], names: Iterable[str]) -> Any:
    return next((given[name] for name in names if isinstance(given.get(name), str)), None)


def _remove_titles(values: dict[str, Any], wrong: Faults) -> None:
    """Removes aliases that are other titles, as in Obsidian: words without a slash or dot that no address has."""
    aliases = values["aliases"]
    rows = aliases if isinstance(aliases, list) else [aliases]
    titles = [index for index, row in enumerate(rows) if isinstance(row, str) and _is_title(row.strip())]
    if titles:
        for index in titles:
            at = ("aliases", index) if isinstance(aliases, list) else ("aliases",)
            what = f"{rows[index].strip()[:60]!r} is a title, not an address"
            wrong.add(at, what, "write an old address of this page with a slash, such as /2019/07/name/")
        values["aliases"] = [None if index in titles else row for index, row in enumerate(rows)]


def _is_title(alias: str) -> bool:
    return bool(alias) and not re.search(r"[/.?#%]", alias) and (" " in alias or alias != alias.lower())


_HELD = {fold(name): values.split() for name, values in HELD.items()}
_IGNORED = frozenset(map(fold, [*" ".join(IGNORED.values()).split(), *HELD, "password"]))


def is_known(name: str, names: config.Fields) -> bool:
    """Whether the field is one of another generator, so that nobody needs a warning."""
    folded = fold(name)
    return folded in _IGNORED or folded in map(fold, [*names.by_foreign_name(), *config.Fields().by_foreign_name()])
