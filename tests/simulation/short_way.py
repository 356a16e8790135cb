"""A shorter way from the project's statements to SQLite: SQLAlchemy's own took most of a seed's time.

A statement is compiled by SQLAlchemy when it first runs; the next time its text and its values go straight to the
database interface. Transactions, errors, objects of the ORM, inserts and lists of values take SQLAlchemy's own way.
The disk sees the same changes in the same order: the log of events of a seed is the same either way.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Engine, Executable
from sqlalchemy.engine import RootTransaction
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.orm import InstrumentedAttribute

PROJECT = ("collector.", "sync.")
BEGINNINGS = ("BEGIN", "BEGIN IMMEDIATE")
Processor = Callable[[Any], Any] | None
Given = Mapping[str, Any]


@cache
def lasting_statements() -> dict[int, Executable]:
    """Return the statements that modules of the project hold for ever, by their identity."""
    modules = [module for name, module in sys.modules.items() if name.startswith(PROJECT)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Executable)]
    return {id(statement): statement for statement in found}


class Rows(IteratorResult[Any]):
    """Rows that were read at once. rowcount: how many a change has met."""

    def __init__(self, columns: SimpleResultMetaData, rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(columns, iter(rows))
        self.rowcount = rowcount


@dataclass(frozen=True)
class Plan:
    """A compiled statement. names: of its values, in order; usual: what stands where nobody gives another."""

    text: str
    compiled: Any
    names: tuple[str, ...]
    usual: dict[str, Any]
    writers: tuple[Processor, ...]
    columns: SimpleResultMetaData
    readers: tuple[Processor, ...]

    def fill(self, found: Given) -> tuple[Any, ...]:
        return tuple(
            found[name] if write is None else write(found[name])
            for name, write in zip(self.names, self.writers, strict=True)
        )

    def read(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        if not any(self.readers):
            return rows
        return [
            tuple(value if read is None else read(value) for value, read in zip(row, self.readers, strict=True))
            for row in rows
        ]


def plan_of(statement: Any, result: Any, given: Given) -> Plan | None:
    """Return how to run again what ran just now; None where SQLAlchemy has more to do than to hand it on."""
    context = getattr(result, "raw", result).context
    compiled = context.compiled
    names = tuple(compiled.positiontup or ())
    changes = statement.is_update or statement.is_delete
    if changes and (compiled.effective_returning or getattr(compiled, "update_prefetch", ())):
        return None
    if not (statement.is_select or changes) or compiled.post_compile_params or not set(given) <= set(names):
        return None
    columns = compiled._result_columns if statement.is_select else ()
    if statement.is_select and not _are_columns(statement, len(columns)):
        return None
    return Plan(
        text=context.statement,
        compiled=compiled,
        names=names,
        usual=dict(context.compiled_parameters[0]),
        writers=tuple(compiled._bind_processors.get(name) for name in names),
        columns=SimpleResultMetaData([column.keyname for column in columns]),
        readers=tuple(column.type._cached_result_processor(context.dialect, None) for column in columns),
    )


def _are_columns(statement: Any, count: int) -> bool:
    """Tell whether a select asks for `count` columns and for no objects."""
    asked = [each["expr"] for each in statement.column_descriptions]
    return len(asked) == count and all(isinstance(each, ColumnElement | InstrumentedAttribute) for each in asked)


class Line:
    """The one connection of a store, as the pool gives it: kept open from one use to the next, as a pool keeps it.

    A second use at the same time fails at once, as it would deadlock on a pool of one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pooled: Any = None
        self.driver_connection: Any = None
        self.is_lent = False

    def lend(self) -> "Line":
        if self.is_lent:
            raise NoneFree("a second connection inside a transaction")
        if not self.is_valid:
            self._pooled = self._engine.pool.connect()
            self.driver_connection = self._pooled.driver_connection
        self.is_lent = True
        return self

    @property
    def is_valid(self) -> bool:
        return self._pooled is not None and self._pooled.is_valid

    @property
    def dbapi_connection(self) -> Any:
        return self.driver_connection

    def cursor(self) -> Any:
        return self.driver_connection.cursor()

    def commit(self) -> None:
        self.driver_connection.commit()

    def rollback(self) -> None:
        self.driver_connection.rollback()

    def close(self) -> None:
        """End the use; what it has not committed is undone."""
        self.is_lent = False
        if self.is_valid:
            self.rollback()

    def _close_special(self, transaction_reset: bool = False) -> None:
        self.close()

    def invalidate(self, trouble: BaseException | None = None) -> None:
        pooled = self._forget()
        pooled.invalidate(trouble)

    def let_go(self) -> None:
        """Give the connection back to the pool, which may close it then."""
        pooled = self._forget()
        if pooled is not None:
            pooled.close()

    def _forget(self) -> Any:
        pooled, self._pooled = self._pooled, None
        self.driver_connection, self.is_lent = None, False
        return pooled


LINES: "WeakKeyDictionary[Engine, Line]" = WeakKeyDictionary()


class ShortConnection(Connection):
    """A connection of SQLAlchemy that knows the shorter way. Events: only the engine's "begin" is told."""

    plans: ClassVar[dict[tuple[Any, ...], Plan | None]] = {}

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, _has_events=False)

    def execution_options(self, **options: Any) -> "ShortConnection":
        self._execution_options = self._execution_options.union(options)
        return self

    def _begin_impl(self, transaction: RootTransaction) -> None:
        self.engine.dispatch.begin(self)
        super()._begin_impl(transaction)

    def exec_driver_sql(self, statement: str, *rest: Any, **more: Any) -> Any:
        if statement in BEGINNINGS and not rest and not more:
            return self._run(statement, ())
        return super().exec_driver_sql(statement, *rest, **more)

    def execute(self, statement: Any, parameters: Any = None, **more: Any) -> Any:
        given = parameters or {}
        if (
            more
            or id(statement) not in lasting_statements()
            or not isinstance(given, dict)
            or not self.in_transaction()
        ):
            return super().execute(statement, parameters, **more)
        known = (id(statement), *given)
        if known not in self.plans:
            result = super().execute(statement, parameters)
            self.plans[known] = plan_of(statement, result, given)
            return result
        plan = self.plans[known]
        if plan is None:
            return super().execute(statement, parameters)
        return self.follow(plan, plan.usual | given)

    def follow(self, plan: Plan, values: Given) -> Rows:
        """Run a plan with these values."""
        cursor = self._run(plan.text, plan.fill(values))
        return Rows(plan.columns, plan.read(cursor.fetchall()), cursor.rowcount)

    def _run(self, text: str, values: tuple[Any, ...]) -> Any:
        try:
            cursor = self.connection.cursor()
            cursor.execute(text, values)
        except BaseException as error:  # told and dealt with as SQLAlchemy does: a power cut ends the connection
            self._handle_dbapi_exception(error, text, values, None, None)
        return cursor


def take_short_way(engine: Engine) -> None:
    """Let the engine's connections take the shorter way from now on."""
    LINES[engine] = line = Line(engine)
    engine.raw_connection = line.lend  # type: ignore[method-assign,assignment]
    engine._connection_cls = ShortConnection
    engine._has_events = False  # each statement would ask for listeners; there is one, and _begin_impl tells it


def close_store(engine: Engine) -> None:
    """Close the engine's connection, as far as its disk lets it."""
    LINES[engine].let_go()
    engine.dispose()
