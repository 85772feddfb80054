#!/bin/sh
# htmlparser2 12.0.0 (npm; its `parseFeed` is `getFeed` of domutils 4.0.2) takes the first `link` anywhere inside an
# Atom entry. An entry that came from another feed keeps that feed's title, address and time in `source` (RFC 4287,
# 4.2.11), and the order of elements means nothing (4.1.2). If `source` stands first, `link` is the front page of the
# other site. Title, id and time are the entry's own, because these are searched for among its children only.
#
# Feeds of aggregators, such as planets, are made of such entries. Whoever follows the headlines of one lands on front
# pages. All entries of one source have the same address, so a reader that compares addresses keeps one of them.
#
# Output seen:
#   htmlparser2, source first: Ferry fares / https://times.example/
#   htmlparser2, source last: Ferry fares / https://times.example/fares
#   rss-parser, source first: Ferry fares / https://times.example/fares
#   rss-parser, source last: Ferry fares / https://times.example/fares
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund htmlparser2@12.0.0 domutils@4.0.2 rss-parser@3.13.0
cat > read.mjs <<'END'
import {parseFeed} from 'htmlparser2'
import RssParser from 'rss-parser'
const source = `<source><id>https://times.example/atom.xml</id><title>River Times</title>
<updated>2026-11-08T07:00:00Z</updated><link href="https://times.example/"/></source>`
const link = '<link href="https://times.example/fares"/>'
const feed = links => `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Planet Harbour</title><id>https://planet.example/atom.xml</id>
<updated>2026-11-08T07:30:00Z</updated><author><name>Planet Harbour</name></author>
<link href="https://planet.example/"/><link rel="self" href="https://planet.example/atom.xml"/>
<entry>${links}<title>Ferry fares</title><id>https://times.example/fares</id><updated>2026-11-08T06:30:00Z</updated>
<author><name>Ann Lee</name></author><summary>By a tenth.</summary></entry></feed>`
const readers = {
  'htmlparser2': parseFeed,
  'rss-parser': text => new RssParser().parseString(text),
}
for (const [name, read] of Object.entries(readers))
  for (const [order, links] of [['first', source + link], ['last', link + source]]) {
    const [entry] = (await read(feed(links))).items
    console.log(`${name}, source ${order}: ${entry.title} / ${entry.link}`)
  }
END
node read.mjs > seen
cat seen
cat > expected <<'END'
htmlparser2, source first: Ferry fares / https://times.example/
htmlparser2, source last: Ferry fares / https://times.example/fares
rss-parser, source first: Ferry fares / https://times.example/fares
rss-parser, source last: Ferry fares / https://times.example/fares
END
cmp -s seen expected
