"""Arranges all published members and stories by topic, provider, category and day.

Reading order: `library` is what pages ask. `arrangement` brings one up to date with the files that changed: `gates`
says which articles are published, `filing` keeps their files and addresses, and `counting` the sections, providers and
statistics. `records` is what all of them keep in the store, and `reached` what an update changed.
"""

from newsgen.library.arrangement import Arrangement, library_of, minutes
from newsgen.library.gates import GATE_REASONS, GATES, gate
from newsgen.library.library import AXES, Library, Section, anchors, has_page, post
from newsgen.library.reached import Reached
from newsgen.library.records import IndexRow, Row, SectionRow, StoryRecord, file_key

__all__ = [
    "AXES",
    "GATES",
    "GATE_REASONS",
    "Arrangement",
    "IndexRow",
    "Library",
    "Reached",
    "Row",
    "Section",
    "SectionRow",
    "StoryRecord",
    "anchors",
    "file_key",
    "gate",
    "has_page",
    "library_of",
    "minutes",
    "post",
]
