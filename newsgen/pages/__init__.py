"""Turns the library into pages: values that hold exactly what their templates read.

Reading order: `kinds` defines a type for each kind of page, and `planner` plans the pages of a site. `cards` turns
members and stories into cards and clusters. `frontpage`, `lists`, `storypages`, `articlepages` and `feeds` make the
pages. `keys` computes the cache keys that let the planner skip pages of earlier builds.
"""

from newsgen.pages.kinds import FilePage, HtmlPage, Page, decode
from newsgen.pages.planner import Known, OnPage, PageRef, Plan, early_pages, plan, site

__all__ = [
    "FilePage",
    "HtmlPage",
    "Known",
    "OnPage",
    "Page",
    "PageRef",
    "Plan",
    "decode",
    "early_pages",
    "plan",
    "site",
]
