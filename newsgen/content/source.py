"""Reads the bytes of content files."""

from __future__ import annotations

import codecs
import os
from typing import NamedTuple

from newsgen.content import frontmatter
from newsgen.content.markup import MAX_BYTES
from newsgen.errors import Problem
from newsgen.files import FoundFile

MAX_READ = frontmatter.MAX_BYTES + MAX_BYTES + 1024
"""The most bytes that are read of a file. A longer one has too large a body, or too much front matter."""


class Source(NamedTuple):
    """The bytes of a content file, or a Problem if reading failed. `id` is its path below the content folder."""

    id: str
    data: bytes | Problem


def read(found: FoundFile, folder_name: str = "content") -> Source:
    """Reads a file that `files.scan` found. Messages call the content folder `folder_name`."""
    if isinstance(found.stamp, Problem):
        return Source(found.id, found.stamp)
    path = f"{folder_name}/{found.id}"
    try:
        file = os.open(found.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            # Ask for the expected size: allocating a buffer for the largest allowed file takes longer than most reads.
            data = os.read(file, min(found.stamp.size + 1, MAX_READ))
            while len(data) < MAX_READ and (more := os.read(file, MAX_READ - len(data))):
                data += more
        finally:
            os.close(file)
    except OSError as error:
        return Source(found.id, Problem(path=path, what=f"cannot be read: {error.strerror}"))
    if len(data) == MAX_READ:
        data = data[: codecs.utf_8_decode(data, "replace")[1]]  # not in the middle of a character
    return Source(found.id, data)
