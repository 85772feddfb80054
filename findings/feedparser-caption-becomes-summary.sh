#!/bin/sh
# feedparser 6.0.14 (PyPI) takes the caption of a picture for the summary of the entry. In Media RSS, `media:description`
# inside `media:content` describes the picture; feedparser gives it as `entry.summary` if the entry has no description, and
# also if the picture stands before the description, which then is nowhere in `summary`. The order of elements means
# nothing in RSS. `media:title` is kept apart, as the headline shows.
#
# Whoever shows summaries shows a photographer's words as the article's. A reader has to look for `media:description` in
# the XML itself, or drop a summary that equals it.
#
# Output seen:
#   description first: Ferry fares / Commuters have other ideas.
#   picture first: Ferry fares / A ferry at dawn. Photo: Bea Quay
#   no description: Ferry fares / A ferry at dawn. Photo: Bea Quay
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check feedparser==6.0.14
cat > "$folder/read.py" <<'END'
import feedparser

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>Harbour Post</title><link>https://post.example/</link><description>News</description>
<item><title>Ferry fares</title><link>https://post.example/fares</link>"""
WORDS = "<description>Commuters have other ideas.</description>"
PICTURE = """<media:content url="https://post.example/ferry.jpg"><media:title>The ferry</media:title>
<media:description>A ferry at dawn. Photo: Bea Quay</media:description></media:content>"""
for name, item in (("description first", WORDS + PICTURE), ("picture first", PICTURE + WORDS), ("no description", PICTURE)):
    entry = feedparser.parse(HEAD + item + "</item></channel></rss>").entries[0]
    print(f"{name}: {entry.title} / {entry.summary}")
END
"$folder/venv/bin/python" "$folder/read.py" > "$folder/seen"
cat "$folder/seen"
cat > "$folder/expected" <<'END'
description first: Ferry fares / Commuters have other ideas.
picture first: Ferry fares / A ferry at dawn. Photo: Bea Quay
no description: Ferry fares / A ferry at dawn. Photo: Bea Quay
END
cmp -s "$folder/seen" "$folder/expected"
