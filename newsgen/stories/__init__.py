"""Clusters articles into stories and ranks them.

Reading order: `tables` keeps values in a store. `clusterer` turns articles into stories. It first joins what files
declare (`declarations`) and then what is similar: `similarity` compares articles by their `words`, using the word
counts of `days` and never across `languages`, and `grouping` puts similar articles into groups. `ranking` chooses the
lead of a story and orders stories, and `differences` finds what differs between its reports.
"""

from newsgen.stories.clusterer import Change, Changes, Clusterer
from newsgen.stories.declarations import COVERAGE_PREFIX
from newsgen.stories.differences import names, numbers
from newsgen.stories.grouping import Pair
from newsgen.stories.ranking import (
    best_lead,
    cap,
    count_sources,
    find_member,
    lead_reason,
    longest_pinned,
    members_of,
    rank,
    trending,
)
from newsgen.stories.similarity import IDF_CAP
from newsgen.stories.words import search_words, spelt

__all__ = [
    "COVERAGE_PREFIX",
    "IDF_CAP",
    "Change",
    "Changes",
    "Clusterer",
    "Pair",
    "best_lead",
    "cap",
    "count_sources",
    "find_member",
    "lead_reason",
    "longest_pinned",
    "members_of",
    "names",
    "numbers",
    "rank",
    "search_words",
    "spelt",
    "trending",
]
