"""Who may do what in the lab: five roles and their rights. `routes/access.py` asks; each route names its right."""

from collections.abc import Mapping

ROLES = ("admin", "lab", "analyst", "facilitator", "municipality")

# right -> the roles that have it
RIGHTS: Mapping[str, frozenset[str]] = {
    # counts, charts, what arrived and who is late
    "see": frozenset({"admin", "lab", "analyst"}),
    # single records, without direct identifiers unless "identifiers" too
    "records": frozenset({"admin", "lab", "analyst"}),
    "identifiers": frozenset({"admin", "lab"}),
    # files with records, for a purpose
    "export": frozenset({"admin", "lab", "analyst"}),
    # say that a record is right, has issues or is refused; correct it
    "review": frozenset({"admin", "lab"}),
    # answer what was asked about a record
    "answer": frozenset({"admin", "lab", "facilitator"}),
    "publish": frozenset({"admin", "lab"}),
    "repair": frozenset({"admin", "lab"}),
    "erase": frozenset({"admin", "lab"}),
    "fleet": frozenset({"admin", "lab"}),
    # rooms: boards, files, codes on what was said
    "rooms": frozenset({"admin", "lab", "analyst"}),
    # a municipality's page; the role of that name sees its own alone
    "municipality": frozenset({"admin", "lab", "analyst", "municipality"}),
    # say what a municipality will do
    "reply": frozenset({"admin", "lab", "municipality"}),
    "people": frozenset({"admin"}),
    "audit": frozenset({"admin", "lab"}),
    # one's own account: password, second factor
    "self": frozenset(ROLES),
}

# where somebody of the role begins
HOMES: Mapping[str, str] = {
    "admin": "/lab",
    "lab": "/lab",
    "analyst": "/lab",
    "facilitator": "/lab/avisos",
    "municipality": "/municipio",
}

# what a token may do: as somebody of this role would
SCOPES: Mapping[str, str] = {"aggregates": "", "records": "analyst", "identifiers": "lab"}


def has_right(role: str, right: str) -> bool:
    """Tell whether a role has a right. A right that nobody wrote down is a mistake in the code: KeyError."""
    return role in RIGHTS[right]
