#!/bin/sh
# Pelican 4.12.0 with Markdown 3.11.3 (PyPI) reads a file that begins with --- without a message, but not as YAML, which
# the blogs of Hugo, Jekyll and Eleventy have there. It reads lines of `name: value`, as in a header of its own.
#
# - `draft: true` is no field of Pelican's, so what was a draft is published.
# - A title keeps its quotes, and readers see them.
# - A list with an item on each line ends the header. It and every field below it are printed as the article's text.
#
# Whoever moves a blog to Pelican, or shares files with it, gets a build without errors that shows readers what was held
# back. Pelican says `Processed 2 articles, 0 drafts`.
#
# Output seen:
#   heading: "Ferry fares: up by a tenth"
#   text: Held until Sunday.
#   heading: Tolls
#   text: Harbour Ferry author: Ann Lee Text.
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pelican==4.12.0 markdown==3.11.3
mkdir content
cat > content/1-fares.md <<'END'
---
title: "Ferry fares: up by a tenth"
date: 2026-11-08
draft: true
---

Held until Sunday.
END
cat > content/2-tolls.md <<'END'
---
title: Tolls
date: 2026-11-08
tags:
  - Harbour
  - Ferry
author: Ann Lee
---

Text.
END
cat > settings.py <<'END'
TIMEZONE = "UTC"
THEME = "theme"
ARTICLE_SAVE_AS = "{slug}.html"
DIRECT_TEMPLATES = []
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
END
mkdir -p theme/templates theme/static
for name in archives author authors categories category index page period_archives tag tags; do
  touch "theme/templates/$name.html"
done
printf 'heading: {{ article.title }}\ntext: {{ article.content | striptags }}\n' > theme/templates/article.html
venv/bin/pelican content --settings settings.py --output public > log 2>&1 || { cat log; exit 1; }
for page in public/*.html; do
  if [ -s "$page" ]; then cat "$page" && echo; fi
done | grep . > seen
cat seen
cat > expected <<'END'
heading: "Ferry fares: up by a tenth"
text: Held until Sunday.
heading: Tolls
text: Harbour Ferry author: Ann Lee Text.
END
cmp -s seen expected
