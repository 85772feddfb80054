"""Rebuilds the site on every edit and updates open browsers.

Reading order: `watch` collects file system events, and with `behindlinks` changes behind links, into batches of
changes, `rebuilder` builds each batch, and `server` serves the result, with the headers that `siteheaders` reads, and
tells browsers what changed. `browser/` holds the script that runs in the browser.
"""

from newsgen.preview.rebuilder import FOLDER
from newsgen.preview.server import serve

__all__ = ["FOLDER", "serve"]
