#!/bin/sh
# wrangler 4.86.0 and 4.164.0 (npm; Cloudflare's own parser of `_redirects`) count every rule after the first one with a
# `*` or placeholder as dynamic, whatever it is itself. Of dynamic rules there may be 100; the rest of the file is left
# out. Cloudflare's documentation names the limits (2,000 static and 100 dynamic redirects) and says that static ones
# "should appear before" dynamic ones, but not that one early wildcard turns all others into dynamic ones.
#
# For `_redirects` this means: a wildcard on the first line leaves 99 of 2,000 redirects.
#
# Output seen, with one wildcard before or after 150 plain rules:
#   wildcard first: /r98 301, /r99 404, /r149 404
#   wildcard last: /r98 301, /r99 301, /r149 301
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund wrangler@4.86.0
export CI=1 WRANGLER_SEND_METRICS=false XDG_CONFIG_HOME="$folder"
plain=$(i=0; while [ $i -lt 150 ]; do echo "/r$i /index.html 301"; i=$((i + 1)); done)
serve() {
    mkdir "$1" && cat > "$1/_redirects" && echo home > "$1/index.html" && echo gone > "$1/404.html"
    node_modules/.bin/wrangler pages dev "$1" --ip 127.0.0.1 --port "$2" --compatibility-date 2026-01-01 > "$1.log" 2>&1 &
    server=$!
    for _ in $(seq 120); do curl -s -o /dev/null "http://127.0.0.1:$2/" && break; sleep 0.5; done
    status() { curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port$1"; }
    port=$2
    echo "wildcard $1: /r98 $(status /r98), /r99 $(status /r99), /r149 $(status /r149)"
    kill $server
    wait $server 2> /dev/null || true
}
{
    printf '/blog/* / 301\n%s\n' "$plain" | serve first 8941
    printf '%s\n/blog/* / 301\n' "$plain" | serve last 8942
} > seen
cat seen
cat > expected <<'END'
wildcard first: /r98 301, /r99 404, /r149 404
wildcard last: /r98 301, /r99 301, /r149 301
END
cmp -s seen expected
