#!/bin/sh
# yaml 2.9.1 (npm), with which web-based CMSs write front matter, follows YAML 1.2: it quotes a text only where YAML 1.2
# would read another type. PyYAML 6.0.3 follows YAML 1.1 and reads some of these texts as other types.
#
# An editor types the title `12:30` or the category `on` into a form. The CMS saves it without quotes, and a generator in
# Python reads the number 750 and the value True. Reading the scalar as text is the only way to get back what was typed.
#
# Output seen:
#   title: 12:30
#   category: on
#   answer: no
#   count: 1_000
#   time: 7:05
#   day: 2026-11-08
#   {'title': 750, 'category': True, 'answer': False, 'count': 1000, 'time': 425, 'day': datetime.date(2026, 11, 8)}
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund yaml@2.9.1
python3 -m venv env
env/bin/python -m pip install --quiet --disable-pip-version-check pyyaml==6.0.3
cat > write.mjs <<'END'
import {stringify} from 'yaml'
process.stdout.write(stringify({title: '12:30', category: 'on', answer: 'no', count: '1_000', time: '7:05', day: '2026-11-08'}))
END
node write.mjs > seen
env/bin/python -c 'import yaml; print(yaml.safe_load(open("seen")))' > read
cat read >> seen
cat seen
cat > expected <<'END'
title: 12:30
category: on
answer: no
count: 1_000
time: 7:05
day: 2026-11-08
{'title': 750, 'category': True, 'answer': False, 'count': 1000, 'time': 425, 'day': datetime.date(2026, 11, 8)}
END
cmp seen expected
