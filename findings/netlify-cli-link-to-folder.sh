#!/bin/sh
# folder-walker 3.2.0 (npm; netlify-cli 27.10.2 lists the files to upload with it) finds no files behind a symbolic link to
# a folder, and reports no error. netlify-cli itself accepts the link, because it checks the folder with stat(2), which
# follows links. So `netlify deploy --dir current`, where `current` links to the folder of a release, uploads nothing.
#
# For a recipe this means: resolve the link first, as with `--dir "$(realpath current)"`.
#
# Output seen, with one file in the folder:
#   the folder: 1 file
#   a link to it: 0 files
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund folder-walker@3.2.0
cat > walk.mjs <<'END'
import walker from 'folder-walker'
let count = 0
walker([process.argv[2]], {filter: () => true})
  .on('data', ({type}) => (count += type === 'file'))
  .on('end', () => console.log(`${process.argv[3]}: ${count} file${count === 1 ? '' : 's'}`))
END
mkdir release
echo home > release/index.html
ln -s release current
{
    node walk.mjs "$folder/release" 'the folder'
    node walk.mjs "$folder/current" 'a link to it'
} > seen
cat seen
cat > expected <<'END'
the folder: 1 file
a link to it: 0 files
END
cmp -s seen expected
