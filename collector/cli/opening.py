"""What commands share: the option that names the folder of data, and opening the store in it."""

from pathlib import Path

import click
from sqlalchemy import Engine

from collector.db import open_engine, prepare_store, writing
from collector.queries import store
from collector.settings import settings_from_environment

DATA = click.option("--data", type=click.Path(path_type=Path), default=None, help="Carpeta de datos (COLLECTOR_DATA).")


def open_store(data: Path | None) -> Engine:
    """Return the engine of the store in `data` (None: as the environment says); made where there is none yet."""
    settings = settings_from_environment(data)
    engine = open_engine(settings.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, settings.name)
    return engine
