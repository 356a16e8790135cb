"""What a contribution must say, and what each refusal tells: the value and what to do, in Spanish and English."""

from typing import Any

import pytest

from collector.rooms.contributions import parse_contribution, parse_contributions
from collector.rooms.payloads import SECRET, SHAPES
from collector.rooms.refusals import SENTENCES, Refusal
from tests.rooms.making import SESSION, START_MS, Making, made_id

OTHER = made_id(999, START_MS)
VOTE: dict[str, Any] = {"ballot": "ballot-of-somebody", "by": "ballot-of-somebody", "step": "s"}
GOOD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("session", {"title": "Sala", "date": "2026-11-22", "round": 1, "stage": "decide", "demo": True}, {}),
    ("session", {"segments": {"origen": {"label": "Origen", "values": {"aqui": {"es": "De aquí", "en": "Here"}}}}}, {}),
    ("session", {"steps": [{"type": "dots", "name": "d", "label": "D",
                            "options": [{"name": "a", "label": "A"}, {"name": "b", "label": "B"}],
                            "settings": {"points": 5}}]}, {}),
    ("seat", {"segments": {"generacion": "joven"}}, {"seat": "P1"}),
    ("consent", {"purposes": {"quote": True}, "notice_version": "2", "how": "oral"}, {"seat": "P1"}),
    ("consent", {"purposes": {"notes": True}}, {}),
    ("step", {"state": "open", "until": "2026-11-22T10:30:00-05:00"}, {"step": "s"}),
    ("moderate", {"state": "hidden"}, {"ref": OTHER}),
    ("undo", {}, {"ref": OTHER}),
    ("close", {"summary": "", "read_back": True}, {}),
    ("presentes", {"count": 12}, {}),
    ("note", {"text": "Nadie responde.", "theme": "respuesta", "quote": True, "form": "verbatim"}, {"seat": "P4"}),
    ("statement", {"text": "El municipio escucha."}, {"seat": "P1", "step": "s"}),
    ("reaction", {"reaction": "thanks"}, {"ref": OTHER}),
    ("vote", {"choice": "pass"}, {**VOTE, "ref": OTHER, "segments": {"generacion": "joven"}}),
    ("vote", {"tally": {"agree": 3, "disagree": 0, "pass": 1}}, {**VOTE, "ref": OTHER, "mode": "paper"}),
    ("allocation", {"points": {"a": 7, "b": 0}}, VOTE),
    ("allocation", {"points": {"a": 70}, "people": 9}, {**VOTE, "mode": "paper"}),
    ("score", {"target": "idea", "criteria": {"impacto": 3}, "reason": "Ya funciona."}, {"step": "s", "seat": "J1"}),
    ("score", {"target": "idea", "conflict": True}, {"step": "s", "seat": "J1"}),
    ("rank", {"order": ["b", "a"]}, VOTE),
    ("placement", {"group": "Agua"}, {"ref": OTHER}),
    ("placement", {"group": ""}, {"ref": OTHER}),
    ("triad", {"a": 20, "b": 30, "c": 50}, VOTE),
    ("triad", {"na": True}, VOTE),
    ("dyad", {"value": 0}, VOTE),
    ("dyad", {"na": True}, VOTE),
    ("iceberg", {"text": "Se protesta.", "level": "event"}, {}),
    ("link", {"to": SESSION, "relation": "evidence"}, {"ref": OTHER}),
    ("expectation", {"actor": "Junta comunal", "text": "Que la llamen."}, {}),
    ("resource", {"actor": "Junta", "kind": "material", "text": "Un local", "position": "cultura"}, {}),
    ("commitment", {"actor": "Junta", "text": "Abrir el local", "by_when": "2027-02-28", "sector": "comunidad"}, {}),
    ("objection", {"position": "basura", "reason": "No hay camión."}, {"seat": "P1"}),
    ("agreement", {"what": "Reunirse", "who": "Todos", "by_when": "2027-01-15", "review": "2027-02-15"}, {}),
    ("selection", {"level": "municipio", "reason": "Muestra el cambio."}, {"ref": OTHER}),
    ("photo", {"file": "pared.jpg"}, {}),
    ("minute", {"text": "Se acordó seguir."}, {}),
    ("measure", {"code": "EQXX7R", "item": "confianza", "value": 4, "round": 0}, VOTE),
    ("code", {"path": "confianza/vecinos", "dimension": "confianza"}, {}),
    ("coding", {"target": OTHER, "path": "confianza", "coder": "ana", "on": False}, {}),
    (
        "guide",
        {"guide": "propia", "guide_version": "1", "title": {"es": "Propia"}, "segments": {}, "source_name": "g.md",
         "source": "fA==", "steps": [{"type": "prompt", "name": "a", "label": {"es": "Hola"}}]},
        {},
    ),
    ("dibujo", {"anything": [1, {"x": "y"}]}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "payload", "envelope"), GOOD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_kind_is_read_as_it_was_written(what: str, payload: dict[str, Any], envelope: dict[str, Any]) -> None:
    body = Making().body(what, payload, **envelope)
    read = parse_contribution(body)
    assert (read.what, read.payload, read.session) == (what, payload, SESSION)
    assert {key: getattr(read, key) for key in envelope} == envelope


def test_the_examples_name_every_kind() -> None:
    assert set(SHAPES) <= {what for what, _, _ in GOOD}


# (code, kind, payload, envelope), each wrong in one thing
WRONG: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("not_an_id", "note", {"text": "a"}, {"id": "7"}),
    ("not_an_id", "note", {"text": "a"}, {"session": SESSION.upper()}),
    ("not_an_id", "link", {"to": "n-1", "relation": "causes"}, {"ref": OTHER}),
    ("not_a_time", "note", {"text": "a"}, {"finished": "2026-11-22 10:00"}),
    ("not_a_name", "note", {"text": "a"}, {"by": "x"}),
    ("not_a_name", "note", {"text": "a"}, {"seat": "la señora de azul"}),
    ("not_a_name", "note", {"text": "a"}, {"seat": ""}),
    ("not_whole", "note", {"text": "a"}, {"count": -1}),
    ("not_whole", "note", {"text": "a"}, {"count": True}),
    ("not_one_of", "note", {"text": "a"}, {"mode": "fax"}),
    ("not_an_object", "note", {"text": "a"}, {"payload": "a"}),
    ("not_an_object", "note", {"text": "a"}, {"segments": ["joven"]}),
    ("about_itself", "undo", {}, {"id": OTHER, "ref": OTHER}),
    ("missing", "note", {}, {}),
    ("missing", "seat", {"segments": {}}, {}),
    ("missing", "undo", {}, {}),
    ("missing", "vote", {"choice": "agree"}, {**VOTE}),
    ("missing", "allocation", {"points": {}}, {"step": "s", "by": "ballot-of-somebody"}),
    ("missing", "allocation", {"points": {}}, {"ballot": VOTE["ballot"], "by": VOTE["by"]}),
    ("missing", "triad", {"a": 50, "b": 50}, VOTE),
    ("missing", "score", {"target": "x"}, {"step": "s"}),
    ("not_a_text", "note", {"text": "  "}, {}),
    ("not_a_text", "note", {"text": 7}, {}),
    ("too_long", "statement", {"text": "a" * 281}, {}),
    ("too_long", "note", {"text": "a" * 2001}, {}),
    ("not_a_flag", "note", {"text": "a", "quote": 1}, {}),
    ("not_a_date", "commitment", {"actor": "a", "text": "b", "by_when": "20270228"}, {}),
    ("not_a_date", "commitment", {"actor": "a", "text": "b", "by_when": "2027-02-30"}, {}),
    ("not_one_of", "vote", {"choice": "yes"}, {**VOTE, "ref": OTHER}),
    ("not_one_of", "iceberg", {"text": "a", "level": "trend"}, {}),
    ("not_one_of", "triad", {"na": False}, VOTE),
    ("not_whole", "dyad", {"value": 101}, VOTE),
    ("not_whole", "dyad", {"value": 50.0}, VOTE),
    ("not_whole", "allocation", {"points": {"a": -1}}, VOTE),
    ("not_a_hundred", "triad", {"a": 20, "b": 30, "c": 49}, VOTE),
    ("too_many", "allocation", {"points": {f"o{number}": 0 for number in range(61)}}, VOTE),
    ("not_a_list", "rank", {"order": "ab"}, VOTE),
    ("twice", "rank", {"order": ["a", "b", "a"]}, VOTE),
    ("seat_with_vote", "vote", {"choice": "agree"}, {**VOTE, "ref": OTHER, "seat": "P4"}),
    ("writer_with_vote", "vote", {"choice": "agree"}, {**VOTE, "ref": OTHER, "by": "phone-of-seat-4"}),
    ("moment_with_vote", "dyad", {"value": 5}, {**VOTE, "finished": "2026-11-22T10:00:07-05:00"}),
    ("moment_with_vote", "dyad", {"value": 5}, {**VOTE, "id": made_id(5, START_MS + 7000)}),
    ("moment_with_vote", "dyad", {"value": 5}, {**VOTE, "id": "5d9f6c1e-2f0b-4d6a-9c3e-0a1b2c3d4e5f"}),
    ("ballot_elsewhere", "note", {"text": "a"}, {"ballot": "ballot-of-somebody"}),
    ("paper_only", "vote", {"tally": {"agree": 1, "disagree": 0, "pass": 0}}, {**VOTE, "ref": OTHER}),
    ("paper_only", "allocation", {"points": {"a": 1}, "people": 2}, {**VOTE, "mode": "pass"}),
    ("code_mistyped", "measure", {"code": "EQXX8R", "item": "a", "value": 1, "round": 0}, VOTE),
    ("guide_type_unknown", "session", {"steps": [{"type": "dance", "name": "a", "label": "A"}]}, {}),
    ("guide_name_twice", "session", {"steps": [{"type": "prompt", "name": "a", "label": "A"}] * 2}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "what", "payload", "envelope"), WRONG)
def test_what_is_wrong_is_refused_by_its_name(
    code: str, what: str, payload: dict[str, Any], envelope: dict[str, Any]
) -> None:
    body = Making().body(what, payload) | envelope
    with pytest.raises(Refusal) as refused:
        parse_contribution(body)
    assert refused.value.code == code
    assert refused.value.sentence("es") != refused.value.sentence("en")
    assert "{" not in refused.value.sentence("es")


@pytest.mark.parametrize("key", ["id", "session", "what", "finished", "by", "count"])
def test_an_envelope_without_a_key_says_which(key: str) -> None:
    body = Making().body("note", {"text": "a"})
    del body[key]
    with pytest.raises(Refusal, match=f'lacks "{key}"'):
        parse_contribution(body)


@pytest.mark.parametrize("what", sorted(SECRET))
def test_no_secret_kind_may_name_a_seat(what: str) -> None:
    payload, envelope = next((payload, envelope) for kind, payload, envelope in GOOD if kind == what)
    with pytest.raises(Refusal) as refused:
        parse_contribution(Making().body(what, payload, **envelope, seat="P2"))
    assert refused.value.code == "seat_with_vote"
    assert "P2" in refused.value.sentence("es")


def test_a_refusal_names_the_value_and_what_to_do() -> None:
    with pytest.raises(Refusal) as refused:
        Making().make("dyad", {"value": 101}, **VOTE)
    assert refused.value.sentence("es") == "«value» dice «101». Escriba un número entero de 0 a 100."
    assert refused.value.sentence("en") == '"value" says "101". Write a whole number from 0 to 100.'


def test_one_bad_record_takes_nothing_else_down() -> None:
    making = Making()
    good, refused = parse_contributions([making.body("note", {"text": "a"}), making.body("note"), making.body("undo")])
    assert [each.payload["text"] for each in good] == ["a"]
    assert [each.code for each in refused] == ["missing", "missing"]


def test_keys_of_a_later_release_are_kept() -> None:
    read = Making().make("note", {"text": "a", "mood": "calm"})
    assert read.payload["mood"] == "calm"


def test_every_sentence_has_the_same_places_in_both_languages() -> None:
    import re

    holes = re.compile(r"\{\w+\}")
    assert not [code for code, (es, en) in SENTENCES.items() if set(holes.findall(es)) != set(holes.findall(en))]
