"""Clusters articles into stories and ranks them.

Reading order: `clusterer` turns articles into stories. It first joins what files declare (`declarations`) and then what
is similar: `similarity` compares articles, using the word counts that `days` stores, and `grouping` puts similar
articles into groups. `ranking` chooses the lead of a story and orders stories.
"""

from newsgen.stories.clusterer import Clusterer
from newsgen.stories.declarations import COVERAGE_PREFIX
from newsgen.stories.ranking import (
    cap,
    choose_lead,
    count_sources,
    find_member,
    lead_reason,
    longest_pinned,
    members_of,
    rank,
    trending,
)

__all__ = [
    "COVERAGE_PREFIX",
    "Clusterer",
    "cap",
    "choose_lead",
    "count_sources",
    "find_member",
    "lead_reason",
    "longest_pinned",
    "members_of",
    "rank",
    "trending",
]
