"""Takes feeds in: turns the entries of RSS, Atom and JSON feeds into article files.

Reading order: `subscriptions` reads the files in `content/_feeds`, `schedule` says which feeds are due, `client` requests
them, `parser` turns their bytes into entries, `archive` decides what becomes of each entry, and `fetcher` does all of it.
"""
