"""newsgen: a folder of article files becomes a browsable news site.

A build is one sentence: files → articles → library → pages → files. To read the code in that order: `content` (with
`frontmatter`, `fields`, `markup` and `canonical` below it), `stories` (of what is `declared` and of `grouping` by words)
and `ranking`, `library`, `plan` (with `frontpage`, `lists`, `storypages`, `articlepages` and `feeds` of `cards`, of the
types in `pages`, at the addresses of `urls`), `theme` and `render`, `output`, and `build`, which runs them. `publish`
brings the result to where readers are.
"""

__version__ = "0.1.0"
