"""What an update changed, as planning has to know it."""

from __future__ import annotations

import msgspec

from newsgen.library.records import Filed, Row, StoryRecord


class Reached(msgspec.Struct):
    """What an update changed.

    `files` are the ids of articles whose file or place differs. `cards` holds, by id, the rows before and after of
    members whose card differs. `stories` holds, by id, the records before and after of stories that lists show
    differently, and `story_pages` the ids of these and of others whose page may differ. `sections` are the axis and key
    of those whose title, existence or family differs, `tallies` the providers whose statistics do. `ubiquitous` says
    whether the topics on more than half of all members differ, and `everything` whether the library is new.
    """

    everything: bool = False
    files: dict[str, tuple[Filed | None, Filed | None]] = {}
    cards: dict[str, tuple[Row | None, Row | None]] = {}
    stories: dict[str, tuple[StoryRecord | None, StoryRecord | None]] = {}
    story_pages: set[str] = set()
    sections: set[tuple[str, str]] = set()
    tallies: set[str] = set()
    ubiquitous: bool = False
