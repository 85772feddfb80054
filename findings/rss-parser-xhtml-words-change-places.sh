#!/bin/sh
# rss-parser 3.13.0 (npm) changes the order of the words in Atom content of the type xhtml (RFC 4287, 4.1.3.3), and it
# takes the first link of an entry that has one with rel="self" and one without rel, although a link without rel is the
# page (RFC 4287, 4.2.7.2).
#
# - Its XML reader keeps the text of an element apart from the elements in it, and writes all text before them. So
#   `Fares rise <em>by a tenth</em> in May` comes out as `Fares rise  in May<em>by a tenth</em>`: a sentence that nobody
#   wrote, with no error. feedparser 6.0.14 keeps the order.
# - Whoever follows `link` gets the XML of the entry, not the article.
#
# Output seen:
#   content: Fares rise  in Mayby a tenth
#   link: https://post.example/fares.atom
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund rss-parser@3.13.0
cat > read.cjs <<'END'
const Parser = require('rss-parser')
const feed = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour Post</title><id>https://post.example/atom.xml</id>
<updated>2026-11-08T07:30:00Z</updated><author><name>Harbour Post</name></author>
<entry><title>Fares</title><id>https://post.example/fares</id><updated>2026-11-08T07:30:00Z</updated>
<link rel="self" href="https://post.example/fares.atom"/><link href="https://post.example/fares"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Fares rise <em>by a tenth</em> in May</p></div></content>
</entry></feed>`
new Parser().parseString(feed).then(({items: [entry]}) => {
  console.log('content: ' + entry.contentSnippet)
  console.log('link: ' + entry.link)
})
END
node read.cjs > seen
cat seen
cat > expected <<'END'
content: Fares rise  in Mayby a tenth
link: https://post.example/fares.atom
END
cmp -s seen expected
