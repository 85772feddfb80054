#!/bin/sh
# fastfeedparser 0.6.5 (PyPI) fills a date that names no day with the day of the month on which it runs, and a date of a
# year alone with today's month as well. `dc:date` is in W3C's date format, in which `2026-03` and `2026` are complete.
# ultimate-sitemap-parser 1.8.1 (PyPI, with Python 3.11 or newer) does so with `lastmod`, for which sitemaps.org names
# the same format. Neither shows that the day is made up. feedparser 6.0.14 gives the first of the month.
#
# Journals and magazines date an issue by its month. In a list of news such an entry has another date each day: it
# counts as changed although nothing changed, and in the month itself it is always today's news.
#
# Output seen, with the clock set by time-machine 3.6.0:
#   2026-03-10: feedparser 2026-03-01, fastfeedparser 2026-03-10, ultimate-sitemap-parser 2026-03-10
#   2026-03-11: feedparser 2026-03-01, fastfeedparser 2026-03-11, ultimate-sitemap-parser 2026-03-11
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  fastfeedparser==0.6.5 feedparser==6.0.14 ultimate-sitemap-parser==1.8.1 time-machine==3.6.0
cat > read.py <<'END'
import sys

import fastfeedparser
import feedparser
import time_machine
from usp.tree import sitemap_from_str

FEED = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://journal.example/rss"><title>Journal of Harbours</title><link>https://journal.example/</link>
<description>Articles</description>
<items><rdf:Seq><rdf:li rdf:resource="https://journal.example/tides"/></rdf:Seq></items></channel>
<item rdf:about="https://journal.example/tides"><title>Tides</title><link>https://journal.example/tides</link>
<dc:date>2026-03</dc:date></item>
</rdf:RDF>
"""
SITEMAP = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://journal.example/tides</loc><lastmod>2026-03</lastmod></url>
</urlset>
"""
today = sys.argv[1]
with time_machine.travel(f"{today}T12:00:00Z"):
    slow = "-".join(f"{part:02}" for part in feedparser.parse(FEED).entries[0].updated_parsed[:3])
    fast = fastfeedparser.parse(FEED).entries[0].published[:10]
    page = next(sitemap_from_str(SITEMAP).all_pages()).last_modified.date()
print(f"{today}: feedparser {slow}, fastfeedparser {fast}, ultimate-sitemap-parser {page}")
END
for today in 2026-03-10 2026-03-11; do TZ=UTC venv/bin/python read.py "$today"; done > seen
cat seen
cat > expected <<'END'
2026-03-10: feedparser 2026-03-01, fastfeedparser 2026-03-10, ultimate-sitemap-parser 2026-03-10
2026-03-11: feedparser 2026-03-01, fastfeedparser 2026-03-11, ultimate-sitemap-parser 2026-03-11
END
cmp -s seen expected
