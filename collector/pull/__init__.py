"""The lab's client: everything of a node into one SQLite file, again and again."""
