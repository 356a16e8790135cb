"""What is odd is kept and found again alike on both databases."""

from collections.abc import Callable

from sqlalchemy import Engine

from collector.db import reading, writing
from collector.queries import quality as queries
from sync.statements import make_tombstone
from tests.lab.test_quality import Desk, kinds, vida


def test_findings_come_stay_and_leave(make_store: Callable[..., Engine]) -> None:
    desk = Desk(make_store("nodo"), vida())
    for _ in range(40):
        desk.put()
    answers = desk.usual()
    first, second = desk.put(**answers), desk.put(**answers)
    odd = desk.put(edad="432", seconds=20, punto="8.43 -82.43 0 5")
    found = desk.look()
    assert kinds(found, second) == ["duplicate"]
    assert kinds(found, odd) == ["far", "outlier", "speeder"]
    with reading(desk.engine) as session:
        newest = queries.list_noticed(session, "vida", "outlier", "", 10)
        assert [one.record_id for one in newest] == [odd]
        assert queries.list_noticed(session, "", "", newest[0].record_id, 1)[0].record_id == second
    desk.say(make_tombstone(first, "lab", "prueba"), make_tombstone(odd, "lab", "prueba"))
    found = desk.look()
    assert kinds(found, second) == kinds(found, odd) == []
    with writing(desk.engine) as session:
        queries.forget_form(session, "vida")
    assert desk.kept() == {}
