"""Turns the library into pages: values that hold exactly what their templates read.

Reading order: `kinds` defines a type for each kind of page. `planner` plans the pages of a site: `reach` finds the
parts that an update can have changed, and `parts` makes their pages. `cards` turns members and stories into cards and
clusters, and `frontpage`, `lists`, `archive`, `storypages`, `articlepages`, `feeds`, `search`, `api` and `digest` put them
on pages; `postings` writes the words of the search. `redirects` finds the old addresses and makes what answers there,
`look` turns the settings of the site's own look into values, and `plugged` makes the pages of plugins.
"""

from newsgen.pages.digest import digests
from newsgen.pages.kinds import AttachmentPage, FilePage, HtmlPage, ListJson, Page, StylesPage, decode
from newsgen.pages.look import brand, styles
from newsgen.pages.parts import attachment_pages
from newsgen.pages.planner import OnPage, PageRef, Plan, early_pages, site
from newsgen.pages.plugged import PageMaker, PluginLibrary

__all__ = [
    "AttachmentPage",
    "FilePage",
    "HtmlPage",
    "ListJson",
    "OnPage",
    "Page",
    "PageMaker",
    "PageRef",
    "Plan",
    "PluginLibrary",
    "StylesPage",
    "attachment_pages",
    "brand",
    "decode",
    "digests",
    "early_pages",
    "site",
    "styles",
]
