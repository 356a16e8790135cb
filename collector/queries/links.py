"""What a node remembers for its posters: the Wi-Fi that stood on the last one, when the facilitator wants that."""

from sqlmodel import Session

from collector.queries import store

NAME, PASSWORD = "poster_wifi_name", "poster_wifi_password"


def remembered_wifi(session: Session) -> tuple[str, str]:
    """Return (name, password) of the Wi-Fi that is remembered, two "" for none."""
    return store.fact(session, NAME), store.fact(session, PASSWORD)


def remember_wifi(session: Session, name: str, password: str) -> None:
    """Keep the Wi-Fi of this node for the next poster."""
    store.set_fact(session, NAME, name)
    store.set_fact(session, PASSWORD, password)


def forget_wifi(session: Session) -> None:
    """Forget it."""
    store.drop_facts(session, "poster_wifi_")
