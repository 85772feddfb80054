"""Parses content files into articles.

Read `reader` first; it runs the steps. `frontmatter` parses YAML, TOML and JSON, `foreign` renames the fields of other
generators, `fields` defines and validates the fields, `dialect` is the Markdown of bodies, and `markup` turns bodies
into safe HTML.
"""

from newsgen.content.fields import ARTICLE_FIELDS, AboutFile, ArticleFile
from newsgen.content.foreign import is_known
from newsgen.content.reader import Parsed, Reader, dump, pack, read, unpack

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
