#!/bin/sh
# lunr 2.3.9 (npm) cannot find a word that begins or ends with a letter outside ASCII, as common in other languages. It
# trims words with JavaScript's `\W`, for which such letters are no letters, when it indexes a text, but not when it reads a
# query. So the index has `rzte` and `caf`, and a search for `Ärzte` or `Café` looks for these words and finds nothing. A
# word in Greek, Cyrillic or Japanese is left with no letters at all. A word with such a letter in the middle is found,
# which hides the fault: `Köln`.
#
# A site search in any language but English needs a trimmer of its own (lunr-languages has some), or another library:
# minisearch 7.2.0 finds all five.
#
# Output seen:
#   Ärzte: lunr 0, minisearch 1
#   Café: lunr 0, minisearch 1
#   Λιμάνι: lunr 0, minisearch 1
#   порт: lunr 0, minisearch 1
#   Köln: lunr 1, minisearch 1
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund lunr@2.3.9 minisearch@7.2.0
cat > find.mjs <<'END'
import lunr from 'lunr'
import MiniSearch from 'minisearch'
const words = ['Ärzte', 'Café', 'Λιμάνι', 'порт', 'Köln']
const index = lunr(function () {
  this.ref('word')
  this.field('title')
  for (const word of words) this.add({word, title: `2026 ${word} 2027`})
})
const mini = new MiniSearch({idField: 'word', fields: ['title']})
mini.addAll(words.map(word => ({word, title: `2026 ${word} 2027`})))
for (const word of words) console.log(`${word}: lunr ${index.search(word).length}, minisearch ${mini.search(word).length}`)
END
node find.mjs > seen
cat seen
cat > expected <<'END'
Ärzte: lunr 0, minisearch 1
Café: lunr 0, minisearch 1
Λιμάνι: lunr 0, minisearch 1
порт: lunr 0, minisearch 1
Köln: lunr 1, minisearch 1
END
cmp -s seen expected
