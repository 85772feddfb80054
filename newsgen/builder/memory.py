"""State that a process keeps between builds of one site. Imports nothing that a build without changes does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsgen.builder.loading import Loaded
    from newsgen.builder.manifest import Manifest
    from newsgen.files import FoundFile, Stamp
    from newsgen.library import Arrangement
    from newsgen.stories import Clusterer


class Memory:
    """State that a process keeps between builds of one site.

    It holds the content files as found and parsed, by id, the stories, the arrangement of the library, and the manifest
    written last, with its stamp. Without `keep`, nothing is kept that only a second build would use.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self.reader = b""
        self.found: dict[str, FoundFile] = {}
        self.parsed: dict[str, Any] = {}
        self.racy: dict[str, bytes] = {}
        self.clusterer: Clusterer | None = None
        self.arrangement: Arrangement | None = None
        self.loaded: Loaded | None = None
        self.written: tuple[Stamp, Manifest] | None = None
