#!/bin/sh
# @netlify/headers-parser 10.1.1 (npm, part of netlify-cli) turns the rule `/css/*` into a pattern in which the slash before
# the wildcard is optional. So a rule for a folder also matches pages beside the folder that begin with its name, and
# `/*/feed.xml` matches `/feed.xml`. Cloudflare reads the same file format with the slash required.
#
# For `_headers` this means: a year of caching for `/img/*` also holds for `/img-credits/`, and rules that look disjoint
# (`/feed.xml` and `/*/feed.xml`) are not. A wildcard inside a part, as in `/*feed.xml`, means the same on both hosts.
#
# Output seen:
#   /img/* matches /img/a.png: true
#   /img/* matches /img-credits/: true
#   /*/feed.xml matches /topics/x/feed.xml: true
#   /*/feed.xml matches /feed.xml: true
#   /*feed.xml matches /topics/x/feed.xml: true
#   /*feed.xml matches /feed.xml: true
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @netlify/headers-parser@10.1.1
cat > match.mjs <<'END'
import {writeFileSync} from 'fs'
import {parseAllHeaders} from '@netlify/headers-parser'
const rules = ['/img/*', '/*/feed.xml', '/*feed.xml']
const paths = [['/img/a.png', '/img-credits/'], ['/topics/x/feed.xml', '/feed.xml'], ['/topics/x/feed.xml', '/feed.xml']]
writeFileSync('_headers', rules.map(rule => rule + '\n  X-Test: 1\n').join(''))
const {headers} = await parseAllHeaders({headersFiles: ['_headers'], configHeaders: [], minimal: false})
headers.forEach((h, i) => paths[i].forEach(p => console.log(`${h.for} matches ${p}: ${h.forRegExp.test(p)}`)))
END
node match.mjs > seen
cat seen
cat > expected <<'END'
/img/* matches /img/a.png: true
/img/* matches /img-credits/: true
/*/feed.xml matches /topics/x/feed.xml: true
/*/feed.xml matches /feed.xml: true
/*feed.xml matches /topics/x/feed.xml: true
/*feed.xml matches /feed.xml: true
END
cmp -s seen expected
