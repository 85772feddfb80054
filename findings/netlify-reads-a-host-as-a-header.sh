#!/bin/sh
# @netlify/headers-parser 10.1.1 (npm, part of netlify-cli) takes a rule for a host in `_headers`, as in
# `https://preview.post.example/*`, for a header with the name `https`, because only a line that begins with a slash is
# a path to it. It reports no error. The headers below that line join the rule above it, which is for other pages.
#
# wrangler 4.86.0 (npm; Cloudflare's own parser of the same file) reads it as a rule for this host alone. Cloudflare's
# documentation shows such rules with `X-Robots-Tag: noindex`, to keep addresses of previews out of search engines. If
# the rule above is for `/*`, as here, the same file on Netlify asks search engines to drop all pages of the site.
#
# Output seen, with that rule below one for `/*`:
#   cloudflare, www.post.example: no robots header
#   cloudflare, preview.post.example: noindex
#   netlify, /*: noindex, and https: //preview.post.example/*
#   netlify, errors: 0
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund wrangler@4.86.0 @netlify/headers-parser@10.1.1
export CI=1 WRANGLER_SEND_METRICS=false XDG_CONFIG_HOME="$folder"
mkdir public
echo home > public/index.html
cat > public/_headers <<'END'
/*
  X-Frame-Options: DENY

https://preview.post.example/*
  X-Robots-Tag: noindex
END
cat > read.mjs <<'END'
import {parseAllHeaders} from '@netlify/headers-parser'
const {headers, errors} = await parseAllHeaders({headersFiles: ['public/_headers'], configHeaders: [], minimal: true})
for (const {for: path, values} of headers) console.log(`netlify, ${path}: ${values['X-Robots-Tag']}, and https: ${values.https}`)
console.log(`netlify, errors: ${errors.length}`)
END
node_modules/.bin/wrangler pages dev public --ip 127.0.0.1 --port 8943 --compatibility-date 2026-01-01 > log 2>&1 &
server=$!
for _ in $(seq 120); do curl -s -o /dev/null http://127.0.0.1:8943/ && break; sleep 0.5; done
for host in www.post.example preview.post.example; do
  robots=$(curl -s -I -H "Host: $host" http://127.0.0.1:8943/ | tr -d '\r' | sed -n 's/^x-robots-tag: //p')
  echo "cloudflare, $host: ${robots:-no robots header}"
done > seen
kill $server
wait $server 2> /dev/null || true
node read.mjs >> seen
cat seen
cat > expected <<'END'
cloudflare, www.post.example: no robots header
cloudflare, preview.post.example: noindex
netlify, /*: noindex, and https: //preview.post.example/*
netlify, errors: 0
END
cmp -s seen expected
