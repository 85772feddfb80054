#!/bin/sh
# fastfeedparser 0.6.5 (PyPI) gives an Atom entry no title at all if the title is of the type xhtml, which RFC 4287
# (3.1.1.3) allows for titles as for texts; feedparser 6.0.14 gives the words. It raises no error, so a reader shows an
# entry without a headline.
#
# Output seen:
#   fastfeedparser: ''
#   feedparser: 'Ferry fares to rise'
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastfeedparser==0.6.5 feedparser==6.0.14
cat > "$folder/titles.py" <<'END'
import re

import fastfeedparser
import feedparser

FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>Harbour Post</title>
<id>https://post.example/atom.xml</id>
<updated>2026-11-08T07:30:00Z</updated>
<entry>
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Ferry <em>fares</em> to rise</div></title>
<id>https://post.example/fares</id>
<link href="https://post.example/fares"/>
<updated>2026-11-08T07:30:00Z</updated>
</entry>
</feed>
"""
fast = fastfeedparser.parse(FEED).entries[0].get("title") or ""
slow = re.sub("<[^<>]*>", "", feedparser.parse(FEED).entries[0].get("title", "")).strip()
print(f"fastfeedparser: {fast!r}\nfeedparser: {slow!r}")
END
"$folder/venv/bin/python" "$folder/titles.py" > "$folder/seen"
cat "$folder/seen"
cat > "$folder/expected" <<'END'
fastfeedparser: ''
feedparser: 'Ferry fares to rise'
END
cmp -s "$folder/seen" "$folder/expected"
