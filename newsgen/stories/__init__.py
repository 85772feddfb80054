"""Articles become stories.

To read: `clusterer` turns articles into stories, from what files declare (`declarations`) and from words: `similarity`
compares two articles, with the word counts that `days` keeps, and `grouping` puts similar ones together. `ranking`
chooses the lead of a story and orders stories.
"""

from newsgen.stories.clusterer import Clusterer
from newsgen.stories.declarations import COVERAGE_PREFIX
from newsgen.stories.ranking import (
    REGISTRABLE_DOMAINS,
    cap,
    choose_lead,
    count_sources,
    lead_reason,
    longest_pinned,
    members_of,
    rank,
    trending,
)

__all__ = [
    "COVERAGE_PREFIX",
    "REGISTRABLE_DOMAINS",
    "Clusterer",
    "cap",
    "choose_lead",
    "count_sources",
    "lead_reason",
    "longest_pinned",
    "members_of",
    "rank",
    "trending",
]
