"""Where codes and codings are kept that belong to no room: the codebook of all, and the open answers of a form.

A coding is a contribution, and a contribution names a session. Those of a room's notes name the room. The codebook has
one session, and the answers of each form one of their own. Their ids are drawn from what they are of, so two nodes that
never met write into the same one. Nobody opens them: without a first record they are no room and stand in no list.
"""

from uuid import NAMESPACE_URL, uuid5

CODEBOOK_SESSION = str(uuid5(NAMESPACE_URL, "urn:collector:codebook"))


def answers_session(form: str) -> str:
    """Return the session that holds the codings of a form's open answers."""
    return str(uuid5(NAMESPACE_URL, f"urn:collector:answers:{form}"))
