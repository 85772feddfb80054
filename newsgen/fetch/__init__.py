"""Takes feeds in: turns the entries of RSS, Atom and JSON feeds into article files.

Reading order: `subscriptions` reads the files in `content/_feeds`, `state` and `schedule` say which feeds are due, `client`
requests them (through `guard`, `connection`, `headers` and `encodings`), `parser` turns their bytes into entries, `archive` decides what becomes of each entry, and `fetcher` does all of it.
"""
