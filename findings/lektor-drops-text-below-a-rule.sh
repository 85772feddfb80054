#!/bin/sh
# Lektor 3.3.14 (PyPI) loses text below a Markdown rule. In its files `contents.lr` a line --- ends a field, so a rule in
# a body has to be written with one hyphen more. If it is not, the words up to the next line with a colon are in no field,
# and that line begins a field which no model has. `lektor build` says nothing, and the page ends at the rule.
#
# So a text that comes from another program's Markdown, where --- is a rule, or from an editor who does not know of this
# loses its second half without a trace; in files of two languages, one of the two.
#
# Output seen:
#   build: finished without a warning
#   page: Ferry fares rise.
#   with four hyphens: Ferry fares rise. Commuters have other ideas. Note: the port will answer. More text.
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check lektor==3.3.14
mkdir -p site/content site/models site/templates
cd site
printf '[project]\nname = Harbour Post\n' > post.lektorproject
printf '[model]\nname = Page\n\n[fields.title]\ntype = string\n\n[fields.body]\ntype = markdown\n' > models/page.ini
printf '{{ this.body }}' > templates/page.html
page() {
  cat > content/contents.lr <<END
_model: page
---
title: Fares
---
body:

Ferry fares rise.

$1

Commuters have other ideas.

Note: the port will answer.

More text.
END
  ../venv/bin/lektor build --no-prune -O "$PWD/public" > log 2>&1 || { cat log; exit 1; }
  sed 's/<[^>]*>//g' public/index.html | tr -s '\n' ' ' | sed 's/ *$//'
}
three=$(page ---)
if grep -qiE 'warn|error|unknown|colon' log; then said='said something'; else said='finished without a warning'; fi
{
  echo "build: $said"
  echo "page: $three"
  echo "with four hyphens: $(page ----)"
} > seen
cat seen
cat > expected <<'END'
build: finished without a warning
page: Ferry fares rise.
with four hyphens: Ferry fares rise. Commuters have other ideas. Note: the port will answer. More text.
END
cmp -s seen expected
