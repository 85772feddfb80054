"""A built site becomes what readers see, at one of several targets.

To read: `publisher` runs a publish; `address` and `connect` find its target; `site` makes the build and `files` lists
what travels; `plan` compares; then the targets: `directory`, `ssh`, `git`, `objects`.
"""

from newsgen.publish.comparison import comparison_lines, diff
from newsgen.publish.publisher import Orders, publish
from newsgen.publish.report import report_lines

__all__ = ["Orders", "comparison_lines", "diff", "publish", "report_lines"]
