"""The bytes of a file become an article.

To read: `reader` does it, step by step. `frontmatter` parses YAML, TOML and JSON, `fields` says what each field may
hold, and `markup` turns a body into safe HTML.
"""

from newsgen.content.fields import KNOWN, AboutFile, ArticleFile
from newsgen.content.reader import Parsed, Reader, dump, pack, read, unpack

__all__ = ["KNOWN", "AboutFile", "ArticleFile", "Parsed", "Reader", "dump", "pack", "read", "unpack"]
