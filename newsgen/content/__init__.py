"""Parses content files into articles.

Read `reader` first; it runs the steps. `source` reads the bytes, `frontmatter` parses YAML, TOML and JSON, `foreign`
renames the fields of other generators, `fields` defines and validates the fields, and `written` gives values as the file
spells them. `dialect` is the Markdown of bodies, `markup` turns bodies into safe HTML, and `parsed` is the result.
"""

from newsgen.content.fields import ARTICLE_FIELDS, AboutFile, ArticleFile
from newsgen.content.foreign import is_known
from newsgen.content.parsed import Parsed, pack, unpack
from newsgen.content.reader import Reader, dump
from newsgen.content.source import read

__all__ = [
    "ARTICLE_FIELDS",
    "AboutFile",
    "ArticleFile",
    "Parsed",
    "Reader",
    "dump",
    "is_known",
    "pack",
    "read",
    "unpack",
]
