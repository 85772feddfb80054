"""What a process keeps of its last build. Imports nothing that a build without changes does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from newsgen.builder.loading import Loaded
    from newsgen.files import FoundFile


class Memory:
    """What a process keeps of its last build: the loaded site, and the content files as they were found."""

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        self.found: Sequence[FoundFile] = ()
