"""Takes feeds in: turns the entries of RSS, Atom and JSON feeds into article files.

Start with `fetcher`, which does all of it. `subscriptions` reads the files in `content/_feeds`, `state` and `schedule`
say which feeds are due, `network` requests them, `formats` turns their bytes into entries, and `archive` decides what
becomes of each entry: `index` knows the files that are there, `ledger` what was taken and deleted, and `articlefile`
writes new ones. `pictures` fetches the pictures that a site shows. `subscribing` creates the files in `content/_feeds`,
and `report` is what a person reads.
"""

from newsgen.fetch.fetcher import FeedReport, FetchOptions, FetchReport, feeds, fetch
from newsgen.fetch.pictures import ImageOptions, ImageReport, fetch_images
from newsgen.fetch.report import feed_line, summary
from newsgen.fetch.subscribing import Imported, Subscribed, import_opml, subscribe

__all__ = [
    "FeedReport",
    "FetchOptions",
    "FetchReport",
    "ImageOptions",
    "ImageReport",
    "Imported",
    "Subscribed",
    "feed_line",
    "feeds",
    "fetch",
    "fetch_images",
    "import_opml",
    "subscribe",
    "summary",
]
