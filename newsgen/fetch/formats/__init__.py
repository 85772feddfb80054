"""Reads what feeds, lists of feeds and pages say: RSS, Atom, JSON Feed, OPML and HTML.

`parser` reads a feed. `documents` and `charsets` read its bytes, `xmlfeeds` and `jsonfeeds` know the formats, `draft`
makes entries from what they find, with `words` for what a reader sees and `dates` for times. `discovery` finds the
feeds that a page announces, and `opml` reads lists of feeds.
"""
