#!/bin/sh
# pymdown-extensions 13.1.2 loads Python's HTTP client, with TLS and the parser of mail, for `~~strikethrough~~`, and so do
# its links of bare addresses: `pymdownx.util` imports `urllib.request` for two functions that turn paths into addresses.
# Python-Markdown 3.11.3 by itself loads none of them. A program that renders one short text spends most of the time of
# its imports on them, and 5 MB.
#
# Output seen:
#   markdown: none
#   pymdownx.saneheaders: none
#   pymdownx.tilde: email.parser http.client ssl
#   pymdownx.magiclink: email.parser http.client ssl
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pymdown-extensions==13.1.2 markdown==3.11.3
for module in markdown pymdownx.saneheaders pymdownx.tilde pymdownx.magiclink; do
  venv/bin/python -c "
import sys, importlib
importlib.import_module('$module')
found = [name for name in ('email.parser', 'http.client', 'ssl') if name in sys.modules]
print('$module:', ' '.join(found) or 'none')
"
done > seen
cat seen
cat > expected <<'EOF'
markdown: none
pymdownx.saneheaders: none
pymdownx.tilde: email.parser http.client ssl
pymdownx.magiclink: email.parser http.client ssl
EOF
cmp -s seen expected
