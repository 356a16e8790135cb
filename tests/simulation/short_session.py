"""A session that is SQLAlchemy's own only where somebody needs its objects: most transactions never do.

`Session` costs more than the statements of a short transaction. Here the transaction is the connection's; the first
thing that needs more (an object, a statement without a plan) makes the whole session, which takes the transaction over.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from sqlalchemy import Connection, Engine
from sqlmodel import Session
from sqlmodel.sql.expression import SelectOfScalar

from tests.simulation.short_way import Plan, ShortConnection, lasting_statements, plan_of


class ShortSession:
    """Stands for SQLModel's session. What it has not itself, the whole session does."""

    plans: ClassVar[dict[Any, Plan | None]] = {}

    def __init__(self, bind: Engine | Connection) -> None:
        self._is_own = isinstance(bind, Engine)
        self._bind = bind
        self._line: Connection | None = None
        self._whole: Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_trouble: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole(), name)

    def whole(self) -> Session:
        """Return SQLModel's own session in the same transaction."""
        if self._whole is None:
            self._whole = Session(bind=self.connection(), join_transaction_mode="control_fully")
        return self._whole

    def connection(self) -> Connection:
        """Return the connection, in a transaction."""
        if self._line is None:
            self._line = self._bind.connect() if isinstance(self._bind, Engine) else self._bind
            self._line.begin()
        return self._line

    @contextmanager
    def begin(self) -> Iterator[Self]:
        """Commit when the block ends well, else roll back."""
        try:
            yield self
            self._end("commit")
        except BaseException:
            self._end("rollback")
            raise

    def _end(self, how: str) -> None:
        if self._whole is not None:
            getattr(self._whole, how)()
            return
        transaction = self._line.get_transaction() if self._line is not None else None
        if transaction is not None:
            getattr(transaction, how)()

    def close(self) -> None:
        if self._whole is not None:
            self._whole.close()
        if self._line is not None and self._is_own:
            self._line.close()
        self._line = self._whole = None

    # --- what waits in the whole session to be written

    @property
    def new(self) -> Collection[Any]:
        return () if self._whole is None else self._whole.new

    @property
    def dirty(self) -> Collection[Any]:
        return () if self._whole is None else self._whole.dirty

    @property
    def deleted(self) -> Collection[Any]:
        return () if self._whole is None else self._whole.deleted

    def flush(self) -> None:
        if self._whole is not None:
            self._whole.flush()

    def expire_all(self) -> None:
        if self._whole is not None:
            self._whole.expire_all()

    # --- statements

    def execute(self, statement: Any, params: Any = None, **more: Any) -> Any:
        if self._whole is None and not more and id(statement) in lasting_statements():
            return self.connection().execute(statement, params)
        if more or not (params is None or isinstance(params, dict)) or not self._may_shorten(statement):
            return self.whole().execute(statement, params=params, **more)
        key = statement._generate_cache_key()
        if key is None:
            return self.whole().execute(statement, params=params)
        known = (key.key, *(params or ()))
        if known not in self.plans:
            result = self.whole().execute(statement, params=params)
            self.plans[known] = _checked(plan_of(statement, result, params or {}), key)
            return result
        plan = self.plans[known]
        connection = self.connection()
        if plan is None or not isinstance(connection, ShortConnection):
            return self.whole().execute(statement, params=params)
        return connection.follow(plan, plan.compiled.construct_params(params, extracted_parameters=key.bindparams))

    def exec(self, statement: Any, **more: Any) -> Any:
        if more:
            return self.whole().exec(statement, **more)
        result = self.execute(statement)
        return result.scalars() if isinstance(statement, SelectOfScalar) else result

    def _may_shorten(self, statement: Any) -> bool:
        """Tell whether nothing waits to be written first, and no object here would have to hear of a change."""
        is_change = statement.is_update or statement.is_delete
        if self._whole is None:
            return bool(statement.is_select or is_change)
        if statement.is_select:
            return not self._whole._new and not self._whole._deleted and not self._whole.identity_map._modified
        return bool(is_change) and not self._whole.identity_map and not self._whole._new


def _checked(plan: Plan | None, key: Any) -> Plan | None:
    """Return the plan if the statement's values stand in the order in which SQLAlchemy compiled them."""
    if plan is None or plan.compiled.cache_key is None:
        return None
    ours, theirs = (
        [(each._orig_key, type(each.type)) for each in found.bindparams] for found in (key, plan.compiled.cache_key)
    )
    return plan if ours == theirs else None
