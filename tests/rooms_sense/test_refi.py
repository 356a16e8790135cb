"""The files for other programs keep the schema's rules, hold the very texts, and are the same bytes every time."""

import io
import random
import zipfile
from dataclasses import replace

import pytest
from defusedxml.ElementTree import fromstring, tostring

from collector.rooms.outputs.maps import iceberg_map
from collector.rooms.outputs.refi import Project, guid, qdc, qdpx
from collector.rooms.room import Room, room_of
from collector.rooms.sense.codebook import Codebook, CodeChange, codebook_of
from collector.rooms.sense.coding import Coded, Coding, coded, read_codebook, read_codings
from collector.rooms.sense.pieces import Piece, pieces_of
from tests.rooms_sense import scene
from tests.rooms_sense.refi_rules import PROJECT, findings_of_codebook, findings_of_project


def project_of(room: Room) -> Project:
    book = read_codebook(room.items)
    found = coded(read_codings(room.items), book)
    maps = (iceberg_map(room, "iceberg"),)
    rounds = {room.session: room.facts.round}
    return Project("Confianza", book, found, tuple(pieces_of(room)), maps, {"generacion": "Generación"}, rounds)


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_project_keeps_the_rules_of_the_schema(room: Room) -> None:
    assert findings_of_project(qdpx(project_of(room))) == []


def test_the_codebook_keeps_the_rules_of_the_schema(book: Codebook, found: Coded) -> None:
    content = qdc(book, found)
    assert findings_of_codebook(content) == []
    root = fromstring(content)
    assert [code.get("name") for code in root.iter() if code.tag.endswith("}Code")] == [
        "Desigualdades", "Basura", "Confianza", "Vecinos",
    ]  # fmt: skip
    assert [code.get("isCodable") for code in root.iter() if code.tag.endswith("}Code")] == ["false", "true"] * 2


def test_a_codebook_without_codes_is_no_file() -> None:
    with pytest.raises(ValueError, match="no codes"):
        qdc(codebook_of([]))


@pytest.mark.parametrize(
    "broken",
    [
        ("guid=", "id="),
        ("<Users>", "<Users /><Users>"),
        ('isCodable="true"', ""),
        ("internal://", "external://"),
        ('<CodeRef targetGUID="', '<CodeRef targetGUID="0'),
        ("<Graphs>", "<Sets /><Graphs>"),
    ],
)
def test_the_rules_find_what_is_broken(room: Room, broken: tuple[str, str]) -> None:
    files = opened(qdpx(project_of(room)))
    files["project.qde"] = files["project.qde"].decode().replace(*broken, 1).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert findings_of_project(buffer.getvalue())


def test_every_text_is_in_the_zip_to_the_letter(room: Room) -> None:
    files = opened(qdpx(project_of(room)))
    texts = {piece.text for piece in pieces_of(room)}
    assert {content.decode() for name, content in files.items() if name.startswith("sources/")} == texts
    assert "Falta <b>agua</b> | y luz." in texts


def test_codes_cases_and_variables_say_who_said_what(room: Room) -> None:
    root = fromstring(opened(qdpx(project_of(room)))["project.qde"])
    first = room.of("note")[0]
    source = root.find(f".//{PROJECT}TextSource[@guid='{guid('piece', first.id)}']")
    codings = [coding.find(f"{PROJECT}CodeRef").get("targetGUID") for coding in source.iter(f"{PROJECT}Coding")]
    assert codings == [guid("code", "confianza/vecindad")] * 2  # Ana's and Luis's
    cases = root.findall(f"{PROJECT}Cases/{PROJECT}Case")
    speaker = next(case for case in cases if case.get("name", "").endswith("· P1"))
    values = ["".join(value.itertext()).strip() for value in speaker.iter(f"{PROJECT}VariableValue")]
    assert values == ["0810", "2026-11-22", "1", "joven"]
    assert len(list(speaker.iter(f"{PROJECT}SourceRef"))) == 3
    assert len(list(root.iter(f"{PROJECT}Vertex"))) == 4 and len(list(root.iter(f"{PROJECT}Edge"))) == 3


def test_what_is_empty_has_no_container() -> None:
    content = qdpx(Project("Nada", codebook_of([]), Coded({}), ()))
    assert findings_of_project(content) == []
    assert len(fromstring(opened(content)["project.qde"])) == 0


def test_a_code_of_another_dimension_stands_under_it() -> None:
    book = codebook_of([CodeChange("agua", "Agua", dimension="desigualdades"), CodeChange("agua/pozo", "Pozo")])
    root = fromstring(qdc(book))
    assert [code.get("name") for code in root.iter() if code.tag.endswith("}Code")] == ["Desigualdades", "Agua", "Pozo"]
    assert findings_of_codebook(qdc(book)) == []


def test_letters_that_xml_cannot_hold_do_not_break_the_file() -> None:
    piece = Piece("t1", "t1", "note", "uno\x0bdos\r\ntres \ufffe", "2026-11-22T10:00:00Z", 1, document="Sala \x01")
    book = codebook_of([CodeChange("a", "A\x02", description="d\x03")])
    content = qdpx(Project("P\x04", book, coded([Coding("t1", "a", "An\x05a")], book), (piece,)))
    assert findings_of_project(content) == []
    assert opened(content)[f"sources/{guid('piece', 't1')}.txt"] == b"unodos\ntres "


def test_the_same_session_gives_the_same_bytes_in_any_order(room: Room) -> None:
    said = scene.everything()
    random.Random(5).shuffle(said)
    turned = project_of(room_of([*said, *said[:20]]))
    assert qdpx(turned) == qdpx(project_of(room))
    assert qdpx(replace(turned, pieces=turned.pieces[::-1])) == qdpx(project_of(room))


def test_no_vote_and_no_ballot_is_in_the_project(room: Room) -> None:
    everything = b"".join(opened(qdpx(project_of(room))).values()).decode()
    assert "ballot" not in everything and "telefono" not in everything
    assert tostring(fromstring(opened(qdpx(project_of(room)))["project.qde"]))
