"""How many people a number that is shared speaks of at least, for one form. Pure.

5 for partners and 10 for everybody; the settings `k_shared` and `k_public` of the form may raise them, never lower them
(privacy requirements P18, section 8). Whoever tells counts of a form to others asks here for its k.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.forms.model import Form
from collector.forms.support import LEAST_GROUPS, is_group
from collector.rooms.sense.suppression import K_PARTNERS, K_PUBLIC


@dataclass(frozen=True)
class SmallGroups:
    """shared: for partners (pages of municipalities, programs that see counts alone); public: for everybody."""

    shared: int = K_PARTNERS
    public: int = K_PUBLIC


def small_groups_of(forms: Iterable[Form]) -> SmallGroups:
    """Return the groups of a form: the largest that any version asks for, since what an older one promised still holds.

    What everybody sees is protected at least as well as what partners see.
    """
    said = [form.attributes.get(form.root, {}) for form in forms]
    shared = max([K_PARTNERS, *(_said(each.get("k_shared", ""), "k_shared") for each in said)])
    public = max([K_PUBLIC, shared, *(_said(each.get("k_public", ""), "k_public") for each in said)])
    return SmallGroups(shared, public)


def _said(cell: str, name: str) -> int:
    return int(cell) if is_group(name, cell) else LEAST_GROUPS[name]
