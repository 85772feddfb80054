"""Uploads a build to a folder, server, branch or bucket.

Reading order: `publisher` runs a publish. `address` and `connect` find the target, `site` builds, `files` lists the
files to publish, `hooks` runs the site's own program, and `plan` compares the files with the target. Then the targets:
`directory`, `ssh`, `git`, `objects`.
"""

from newsgen.publish.comparison import Difference, comparison_lines, diff
from newsgen.publish.publisher import PublishOptions, publish
from newsgen.publish.report import Published, report_lines

__all__ = ["Difference", "PublishOptions", "Published", "comparison_lines", "diff", "publish", "report_lines"]
