"""Rooms: focus groups and sensemaking as pure functions of contributions. No files, no store, no web.

    contributions --parse--> Contribution --room_of--> Room --boards.*--> frozen figures that a page draws

Whatever the order in which contributions arrive, and however often, the same room and the same boards come out.
The model, every payload and every formula stand in docs/rooms.md.
"""
