"""The library becomes pages: values that hold exactly what their templates read.

To read: `kinds` has a type for each kind of page, `planner` lists the pages of a site. `cards` makes what lists show of
articles and stories; `frontpage`, `lists`, `storypages`, `articlepages` and `feeds` make the pages. `keys` tells the
planner which pages an earlier build has planned already.
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
