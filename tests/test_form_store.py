"""Published forms stay valid: also those that an older release compiled."""

import json
from pathlib import Path

from sqlalchemy import Engine, text

from collector.db import open_engine, prepare_store, writing
from collector.form_store import FormStore
from collector.forms.model import FORM_SHAPE
from tests.forms.household import household_xml


def a_store(folder: Path) -> Engine:
    engine = open_engine(f"sqlite:///{folder / 'a.db'}")
    prepare_store(engine)
    FormStore(engine).install(household_xml())
    return engine


def rewrite(engine: Engine, **changes: object) -> None:
    """Change what the store holds of the compiled form."""
    with writing(engine) as session:
        definition = json.loads(session.execute(text("SELECT definition FROM form")).scalar_one()) | changes
        session.execute(text("UPDATE form SET definition = :new"), {"new": json.dumps(definition)})


def test_a_form_that_an_older_release_compiled_is_read_again_from_its_xform(tmp_path: Path) -> None:
    engine = a_store(tmp_path)
    fresh = FormStore(engine).current()[0]
    form = FormStore(engine).get(fresh.form_id, fresh.version)
    rewrite(engine, shape=FORM_SHAPE - 1, tree=[], title="vieja")
    again = FormStore(engine).get(fresh.form_id, fresh.version)
    assert again == form and again is not None and again.tree


def test_a_form_that_today_would_be_refused_stays_as_it_was_compiled(tmp_path: Path) -> None:
    engine = a_store(tmp_path)
    row = FormStore(engine).current()[0]
    rewrite(engine, shape=FORM_SHAPE - 1, title="vieja")
    with writing(engine) as session:
        session.execute(text("UPDATE form SET xform = '<roto'"))
    form = FormStore(engine).get(row.form_id, row.version)
    assert form is not None and form.title == "vieja"
