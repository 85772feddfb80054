#!/bin/sh
# feed 6.0.0 (npm) writes RSS that is not well-formed if the `domain` of a category has an `&`, as in the address of a list
# with two parameters. It escapes the addresses of links, images and enclosures, but not this one, so the whole feed cannot
# be read. In the Atom of the same feed the address is escaped, where it is the category's `scheme`.
#
# It also changes what an enclosure is: in Atom, audio with `type: "audio/mpeg"` becomes `image/mp3`, and in RSS an entry
# with an image and audio has the image as its enclosure and no audio.
#
# Output seen:
#   rss: not well-formed
#   atom: well-formed
#   type in atom: image/mp3
#   audio in rss: false
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund feed@6.0.0
cat > write.mjs <<'END'
import {writeFileSync} from 'fs'
import {Feed} from 'feed'
const feed = new Feed({title: 'Harbour Post', id: 'https://post.example/', link: 'https://post.example/', copyright: '', updated: new Date(0)})
const page = 'https://post.example/topics?name=harbour&page=2'
feed.addItem({
  title: 'Fares', id: 'https://post.example/fares', link: 'https://post.example/fares', date: new Date(0),
  image: 'https://post.example/ferry.jpg',
  enclosure: {url: 'https://post.example/fares.mp3', type: 'audio/mpeg', length: 4711},
  category: [{name: 'Harbour', domain: page, scheme: page}],
})
writeFileSync('rss.xml', feed.rss2())
writeFileSync('atom.xml', feed.atom1())
END
node write.mjs
cat > read.py <<'END'
import re
from pathlib import Path
from xml.etree import ElementTree

for name in ("rss", "atom"):
    try:
        ElementTree.parse(f"{name}.xml")
        print(f"{name}: well-formed")
    except ElementTree.ParseError:
        print(f"{name}: not well-formed")
print("type in atom:", re.search(r'mp3" type="([^"]*)', Path("atom.xml").read_text())[1])
print("audio in rss:", str("fares.mp3" in Path("rss.xml").read_text()).lower())
END
python3 read.py > seen
cat seen
cat > expected <<'END'
rss: not well-formed
atom: well-formed
type in atom: image/mp3
audio in rss: false
END
cmp -s seen expected
