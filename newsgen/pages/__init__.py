"""Turns the library into pages: values that hold exactly what their templates read.

Reading order: `kinds` defines a type for each kind of page. `planner` plans the pages of a site: `reach` finds the
parts that an update can have changed, and `parts` makes their pages. `cards` turns members and stories into cards and
clusters, and `frontpage`, `lists`, `archive`, `storypages`, `articlepages`, `feeds`, `search`, `api` and `digest` put them
on pages. `redirects` finds the old addresses and makes what answers there.
"""

from newsgen.pages.digest import digests
from newsgen.pages.kinds import FilePage, HtmlPage, ListJson, Page, decode
from newsgen.pages.planner import OnPage, PageRef, Plan, early_pages, site

__all__ = [
    "FilePage",
    "HtmlPage",
    "ListJson",
    "OnPage",
    "Page",
    "PageRef",
    "Plan",
    "decode",
    "digests",
    "early_pages",
    "site",
]
