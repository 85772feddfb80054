"""Runs a build: reads the site, plans its pages, renders the stale ones and writes them.

Start with `pipeline`, which runs the steps. `snapshot` names what differs from the last build, whose output files
`manifest` lists; `loading` reads what differs, brings the library up to date and plans. `attachments` reads the files
that content files name, and `encoder` makes smaller copies of pictures. `linkchecker` finds broken links, `lastbuild`
finds stale pages, `renderqueue` renders them through `render` with the templates of `theme`, and `output` writes.
`plugincode` reads the code of the site's plugins and `plugins` calls them. `limits` compares the site with the limits
of its host, and `forbidden` its templates with its content security policy. `cache` and `pool` save time; the workers
of a pool are processes of this machine, or those of `executor`. `catalogues` reads the phrases of the site's language,
which `translation` puts into templates; `messages` writes a catalogue to fill in. `options` is the input of a build,
and `report` its result, which `summary` completes.

Modules that a build without changes does not need are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from newsgen.builder.cache import FOLDER
from newsgen.builder.manifest import Record
from newsgen.builder.memory import Memory
from newsgen.builder.options import Options, Progress, folders
from newsgen.builder.output import Lock, Output
from newsgen.builder.pipeline import build, why
from newsgen.builder.report import Report, Stopwatch

if TYPE_CHECKING:
    from newsgen.builder.executor import RemoteExecutor
    from newsgen.builder.lastbuild import LastBuild
    from newsgen.builder.limits import COPY, Findings, SiteFile, SiteFiles, compare_with_limits
    from newsgen.builder.linkchecker import LINK_HINT
    from newsgen.builder.loading import Loaded, load
    from newsgen.builder.mediatypes import media_type
    from newsgen.builder.messages import translate
    from newsgen.builder.render import Renderer
    from newsgen.builder.renderqueue import RenderQueue
    from newsgen.builder.theme import DEMO

__all__ = [
    "COPY",
    "DEMO",
    "FOLDER",
    "LINK_HINT",
    "Findings",
    "LastBuild",
    "Loaded",
    "Lock",
    "Memory",
    "Options",
    "Output",
    "Progress",
    "Record",
    "RemoteExecutor",
    "RenderQueue",
    "Renderer",
    "Report",
    "SiteFile",
    "SiteFiles",
    "Stopwatch",
    "build",
    "compare_with_limits",
    "folders",
    "load",
    "media_type",
    "translate",
    "why",
]

_ON_FIRST_USE = {
    "COPY": "limits",
    "DEMO": "theme",
    "Findings": "limits",
    "LINK_HINT": "linkchecker",
    "LastBuild": "lastbuild",
    "Loaded": "loading",
    "RemoteExecutor": "executor",
    "RenderQueue": "renderqueue",
    "Renderer": "render",
    "SiteFile": "limits",
    "SiteFiles": "limits",
    "compare_with_limits": "limits",
    "load": "loading",
    "media_type": "mediatypes",
    "translate": "messages",
}


def __getattr__(name: str) -> Any:
    """Imports a module when one of its names is first used (PEP 562)."""
    if name in _ON_FIRST_USE:
        return getattr(import_module(f"{__name__}.{_ON_FIRST_USE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
