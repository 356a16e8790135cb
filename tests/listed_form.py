"""A form that asks for points: one that is required, one of each row; `aqui` sees whether a point was given."""

from functools import cache

from pyxform.xls2xform import convert

FORM = """
| survey | | | | | | | |
| | type | name | label::Español (es) | label::English (en)| relevant | required | calculation |
| | geopoint | punto | ¿Dónde está la toma? | Where is it? | | yes | |
| | text | aqui | ¿Qué se ve ahí? | What is there? | ${punto} != '' | | |
| | text | nota | Nota | Note | | | |
| | begin_repeat | pozo | Pozo | Well | | | |
| | text | nombre | Nombre | Name | | | |
| | geopoint | sitio | ¿Dónde está el pozo? | Where is the well? | | | |
| | end_repeat | | | | | | |
| settings | | | | |
| | form_title | form_id | version | default_language |
| | Tomas | tomas | 1 | Español (es) |
"""


@cache
def listed_xform() -> str:
    """Return the XForm; its id is "tomas", its version "1"."""
    return str(convert(FORM, validate=False, form_name="data", file_type=".md").xform)
