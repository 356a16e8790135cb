"""Whether a room takes a contribution now. A node asks this when somebody sends one, never when one arrives by sync.

What was accepted once stays: clocks differ between devices, so a room put together later cannot tell who was late.
"""

from collector.rooms.contributions import Contribution
from collector.rooms.fitting import OF_A_STEP, check_fits
from collector.rooms.payloads import FACILITATOR, SECRET
from collector.rooms.refusals import Refusal, shown
from collector.rooms.room import Room

AFTER_THE_END = FACILITATOR | {"code", "coding", "note", "minute", "photo"}  # minutes are read back, themes are coded


def check_accepts(room: Room, contribution: Contribution) -> None:
    """Raise Refusal where the room does not take a contribution: other session, closed, step not open, does not fit.

    A secret kind and a statement need their step open. Who may send a kind of FACILITATOR is for the caller to know.
    """
    if room.session and contribution.session != room.session:
        raise Refusal("other_room", value=shown(contribution.session))
    if room.is_closed and contribution.what not in AFTER_THE_END:
        raise Refusal("room_closed")
    is_of_step = contribution.what in OF_A_STEP and bool(contribution.step)
    if is_of_step and contribution.what in SECRET | {"statement"} and room.run(contribution.step).state != "open":
        raise Refusal("step_closed", step=contribution.step)
    check_fits(room.guide, contribution)
