"""Parses content files into articles.

Read `reader` first; it runs the steps. `source` reads the bytes, `frontmatter` parses YAML, TOML and JSON, `foreign`
renames the fields of other generators, `fields` defines and validates the fields, and `written` gives values as the
file spells them. `dialect` is the Markdown of bodies, `markup` turns bodies into safe HTML, and `parsed` is the result.
`returned` checks what plugins make of articles.
"""

from newsgen.content.fields import (
    ARTICLE_FIELDS,
    MAX_AUTHOR,
    MAX_TOPICS,
    AboutFile,
    ArticleFile,
    FeedFile,
    file_id,
    is_expression,
    is_name,
)
from newsgen.content.foreign import is_known
from newsgen.content.frontmatter import FrontMatterError
from newsgen.content.frontmatter import parse as parse_front_matter
from newsgen.content.parsed import Parsed, original, pack, pack_changed, unpack
from newsgen.content.reader import Reader, dump
from newsgen.content.source import Source, read

__all__ = [
    "ARTICLE_FIELDS",
    "MAX_AUTHOR",
    "MAX_TOPICS",
    "AboutFile",
    "ArticleFile",
    "FeedFile",
    "FrontMatterError",
    "Parsed",
    "Reader",
    "Source",
    "dump",
    "file_id",
    "is_expression",
    "is_known",
    "is_name",
    "original",
    "pack",
    "pack_changed",
    "parse_front_matter",
    "read",
    "unpack",
]
