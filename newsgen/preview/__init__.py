"""Edits become builds, and builds become news for browsers.

To read: `watch` turns file system events into batches of changes, `rebuilder` builds each batch, `server` serves the
result and tells browsers what changed. `browser/` has the script that runs in them.
"""

from newsgen.preview.rebuilder import FOLDER
from newsgen.preview.server import serve

__all__ = ["FOLDER", "serve"]
