"""Guides ready for a session: a focus group on trust, municipal sensemaking, and a challenge on plastics.

Only files live here. The .md is the source; `tools/make_starter_xlsx.py` makes the .xlsx beside it for those who write
guides in a spreadsheet. How to read and change them stands in docs/rooms.md.
"""
