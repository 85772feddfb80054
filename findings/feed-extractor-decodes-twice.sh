#!/bin/sh
# @extractus/feed-extractor 8.0.3 (npm) decodes the entities of titles and descriptions once more after the XML parser
# has decoded them, and then strips tags from descriptions.
#
# - An Atom title with type="text" (the default) is plain text (RFC 4287, 3.1.1.1). The title `Write &amp; in HTML` comes
#   out as `Write & in HTML`: words about entities are changed.
# - An RSS description is HTML (RSS 2.0), so the text `Use <dialog> now` stands in the file as
#   `Use &amp;lt;dialog&amp;gt; now`. The reader should show `Use <dialog> now`, and shows `Use  now`: the word is lost.
# - An Atom summary of the text `Use <dialog> now` is lost in the same way.
#
# feedparser 6.0.14, fastfeedparser 0.6.5 and rss-parser 3.13.0 keep all three.
#
# Output seen:
#   atom title: Write & in HTML
#   rss description: Use  now
#   atom summary: Use  now
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @extractus/feed-extractor@8.0.3
cat > read.mjs <<'END'
import {extractFromXml} from '@extractus/feed-extractor'
const atom = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:x:feed</id><updated>2026-11-08T08:00:00Z</updated>
<author><name>A</name></author>
<entry><title>Write &amp;amp; in HTML</title><id>urn:x:1</id><updated>2026-11-08T08:00:00Z</updated>
<link rel="alternate" href="https://a.example/1"/><summary>Use &lt;dialog&gt; now</summary></entry></feed>`
const rss = `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>T</title><link>https://a.example/</link><description>D</description>
<item><title>One</title><link>https://a.example/1</link><guid>https://a.example/1</guid>
<description>Use &amp;lt;dialog&amp;gt; now</description></item></channel></rss>`
const fromAtom = extractFromXml(atom).entries[0]
console.log('atom title: ' + fromAtom.title)
console.log('rss description: ' + extractFromXml(rss).entries[0].description)
console.log('atom summary: ' + fromAtom.description)
END
node read.mjs > seen
cat seen
cat > expected <<'END'
atom title: Write & in HTML
rss description: Use  now
atom summary: Use  now
END
cmp -s seen expected
