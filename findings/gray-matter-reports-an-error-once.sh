#!/bin/sh
# gray-matter 4.0.3 (npm; Eleventy and many others read front matter with it) reports an error in front matter only the
# first time. It puts a text into its cache before it reads it, so the second call with the same text returns an empty
# `data`, as if the file had no front matter, and no error. What a caller changes in `data` stays in the cache as well:
# another file with the same text begins with it.
#
# So in a preview that builds again, or with two files of one text, a file with a mistake in its front matter is first an
# error and then a page without a title. A call with any options, such as `matter(text, {})`, does not use the cache.
#
# Output seen:
#   first: YAMLException
#   second: {}
#   with options: YAMLException
#   after a change: {"title":"Fares","draft":true}
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund gray-matter@4.0.3
cat > read.cjs <<'END'
const matter = require('gray-matter')
const data = (...given) => {
  try {
    return JSON.stringify(matter(...given).data)
  } catch (error) {
    return error.name
  }
}
const wrong = '---\ntopics: [Harbour\n---\nText\n'
console.log('first: ' + data(wrong))
console.log('second: ' + data(wrong))
console.log('with options: ' + data(wrong, {}))
const right = '---\ntitle: Fares\n---\nText\n'
matter(right).data.draft = true
console.log('after a change: ' + data(right))
END
node read.cjs > seen
cat seen
cat > expected <<'END'
first: YAMLException
second: {}
with options: YAMLException
after a change: {"title":"Fares","draft":true}
END
cmp -s seen expected
