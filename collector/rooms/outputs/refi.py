"""A qualitative project for other programs: REFI-QDA 1.5 as .qdpx (codes, texts, who said what, maps) and .qdc (codes).

    .qdpx   zip:  project.qde   Users CodeBook Variables Cases Sources Graphs, in this order, none of them empty
                  sources/GUID.txt   one text a piece, UTF-8, lines end in \\n
    .qdc    the CodeBook alone, in its own namespace

One text a piece and its codes right under it: programs disagree about what a position within a text counts, so none is
written. GUIDs are uuid5 of our own ids and every date comes from the records: the same data give the same bytes.
Source: REFI-QDA Project Exchange 1.5 and its schema (MIT), www.qdasoftware.org.
"""

import io
import re
import unicodedata
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from collector.rooms.outputs.maps import Map
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.sense.codebook import Code, Codebook
from collector.rooms.sense.coding import Coded
from collector.rooms.sense.pieces import Piece

PROJECT_NAMESPACE = "urn:QDA-XML:project:1.0"
CODEBOOK_NAMESPACE = "urn:QDA-XML:codebook:1.0"
ORIGIN = "Collector"
OURS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:collector:refi-qda")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the files in the zip; zip knows no earlier one
STEP_X, STEP_Y = 180, 120
# what XML 1.0 cannot hold, even escaped
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Project:
    """What is handed over. segments: segment key -> what people call it; rounds: session -> number of its round."""

    name: str
    book: Codebook
    coded: Coded
    pieces: tuple[Piece, ...]
    maps: tuple[Map, ...] = ()
    segments: Mapping[str, str] = field(default_factory=dict)
    rounds: Mapping[str, int] = field(default_factory=dict)
    tongue: Tongue = SPANISH


def qdpx(project: Project) -> bytes:
    """Return the .qdpx file, the same bytes for the same data in any order."""
    tidy = _tidied(project)
    files = {"project.qde": _xml(_project(tidy))}
    files.update((f"sources/{guid('piece', piece.target)}.txt", plain_text(piece).encode()) for piece in tidy.pieces)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            about = zipfile.ZipInfo(name, FIRST_DAY)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.create_system = 3  # else the machine that wrote it would show
            archive.writestr(about, content)
    return buffer.getvalue()


def qdc(book: Codebook, coded: Coded | None = None) -> bytes:
    """Return the .qdc file. Raises ValueError for a book without codes: the format has no such file."""
    if not book.codes:
        raise ValueError("The codebook has no codes: add one before it is exported")
    root = Element("CodeBook", xmlns=CODEBOOK_NAMESPACE, origin=ORIGIN)
    _add_codes(root, book, coded or Coded({}))
    return _xml(root)


def guid(kind: str, name: str) -> str:
    """Return the GUID of one of our things: always the same."""
    return str(uuid.uuid5(OURS, f"{kind}:{name}"))


def plain_text(piece: Piece) -> str:
    """Return the text of a source: composed letters, lines that end in \\n, nothing that XML could not name."""
    return _clean(unicodedata.normalize("NFC", piece.text)).replace("\r\n", "\n").replace("\r", "\n")


def _tidied(project: Project) -> Project:
    pieces = sorted({piece.target: piece for piece in project.pieces}.values(), key=lambda piece: piece.order)
    maps = sorted(project.maps, key=lambda each: (each.title, each.key))
    return replace(project, pieces=tuple(pieces), maps=tuple(maps))


# --- the parts of project.qde, in the schema's order


def _project(project: Project) -> Element:
    root = Element("Project", xmlns=PROJECT_NAMESPACE, name=_clean(project.name), origin=ORIGIN)
    if project.pieces:
        root.set("creationDateTime", _moment(project.pieces[0].at_ms))
        root.set("modifiedDateTime", _moment(project.pieces[-1].at_ms))
    _add_users(root, project)
    if project.book.codes:
        _add_codes(SubElement(root, "CodeBook"), project.book, project.coded)
    variables = _variables(project)
    _add_variables(root, variables)
    _add_cases(root, project, variables)
    _add_sources(root, project)
    _add_graphs(root, project)
    return root


def _add_users(root: Element, project: Project) -> None:
    coders = project.coded.coders()
    if not coders:
        return
    users = SubElement(root, "Users")
    for coder in coders:
        SubElement(users, "User", guid=guid("coder", coder), name=_clean(coder))


def _add_codes(parent: Element, book: Codebook, coded: Coded) -> None:
    """Add the tree: a code at the top that names another dimension stands under that dimension."""
    codes = SubElement(parent, "Codes")
    used = {path for target in coded.by_target for path in coded.paths(target)}
    made: dict[str, Element] = {}
    for dimension in dict.fromkeys(code.dimension for code in book.children()):
        code = book.codes.get(dimension) or Code(dimension, book.label(dimension), dimension)
        made[dimension] = _code(codes, code, dimension in used)
    for code in book.codes.values():
        if code.path not in made:
            is_codable = code.path in used or not book.children(code.path)
            made[code.path] = _code(made[code.parent or code.dimension], code, is_codable)


def _code(parent: Element, code: Code, is_codable: bool) -> Element:
    found = SubElement(
        parent,
        "Code",
        guid=guid("code", code.path),
        name=_clean(code.label),
        isCodable="true" if is_codable else "false",
    )
    if code.description:
        SubElement(found, "Description").text = _clean(code.description)
    return found


@dataclass(frozen=True)
class _Variable:
    key: str
    name: str
    type: str


def _variables(project: Project) -> list[_Variable]:
    """Return what is known of who spoke: only what at least one piece says, for the schema knows no empty value."""
    pieces = project.pieces
    found = []
    if any(piece.place for piece in pieces):
        found.append(_Variable("place", project.tongue("Municipio"), "Text"))
    if pieces:
        found.append(_Variable("date", project.tongue("Fecha"), "Date"))
    if any(project.rounds.get(piece.session) is not None for piece in pieces):
        found.append(_Variable("round", project.tongue("Ronda"), "Integer"))
    keys = sorted({key for piece in pieces for key in piece.segments})
    return [*found, *(_Variable(f"segment:{key}", project.segments.get(key, key), "Text") for key in keys)]


def _add_variables(root: Element, variables: Iterable[_Variable]) -> None:
    listed = list(variables)
    if not listed:
        return
    parent = SubElement(root, "Variables")
    for each in listed:
        SubElement(
            parent, "Variable", guid=guid("variable", each.key), name=_clean(each.name), typeOfVariable=each.type
        )


def _add_cases(root: Element, project: Project, variables: list[_Variable]) -> None:
    by_person: dict[str, list[Piece]] = {}
    for piece in project.pieces:
        by_person.setdefault(piece.person, []).append(piece)
    if not by_person:
        return
    cases = SubElement(root, "Cases")
    for person in sorted(by_person):
        pieces = by_person[person]
        case = SubElement(cases, "Case", guid=guid("case", person), name=_case_name(pieces[0]))
        for variable in variables:
            _add_value(case, variable, _value(variable, pieces[0], project))
        for piece in pieces:
            SubElement(case, "SourceRef", targetGUID=guid("piece", piece.target))


def _case_name(piece: Piece) -> str:
    return _clean(" · ".join(part for part in (piece.document, piece.seat or piece.record[-12:]) if part))


def _value(variable: _Variable, piece: Piece, project: Project) -> str:
    if variable.key == "place":
        return piece.place
    if variable.key == "date":
        return piece.finished[:10]
    if variable.key == "round":
        number = project.rounds.get(piece.session)
        return "" if number is None else str(number)
    return piece.segments.get(variable.key.removeprefix("segment:"), "")


def _add_value(case: Element, variable: _Variable, value: str) -> None:
    if not value:
        return
    holder = SubElement(case, "VariableValue")
    SubElement(holder, "VariableRef", targetGUID=guid("variable", variable.key))
    SubElement(holder, f"{variable.type}Value").text = _clean(value)


def _add_sources(root: Element, project: Project) -> None:
    if not project.pieces:
        return
    sources = SubElement(root, "Sources")
    for number, piece in enumerate(project.pieces, 1):
        own = guid("piece", piece.target)
        source = SubElement(
            sources,
            "TextSource",
            guid=own,
            name=_clean(f"{number:04d} {piece.document or piece.kind}"),
            plainTextPath=f"internal://{own}.txt",
            creationDateTime=_moment(piece.at_ms),
        )
        _add_codings(source, piece, project)


def _add_codings(source: Element, piece: Piece, project: Project) -> None:
    for coder, paths in sorted(project.coded.by_target.get(piece.target, {}).items()):
        for path in sorted(paths):
            own = guid("coding", f"{piece.target}|{coder}|{path}")
            coding = SubElement(source, "Coding", guid=own, creatingUser=guid("coder", coder))
            SubElement(coding, "CodeRef", targetGUID=guid("code", path))


def _add_graphs(root: Element, project: Project) -> None:
    drawn = [each for each in project.maps if each.nodes]
    if not drawn:
        return
    graphs = SubElement(root, "Graphs")
    sources = {piece.target for piece in project.pieces}
    for each in drawn:
        graph = SubElement(graphs, "Graph", guid=guid("map", each.key), name=_clean(each.title))
        _add_vertices(graph, each, sources)
        for edge in each.edges:
            own = guid("edge", f"{each.key}|{edge.start}|{edge.end}|{edge.relation}")
            SubElement(
                graph,
                "Edge",
                guid=own,
                name=_clean(edge.label),
                sourceVertex=guid("vertex", f"{each.key}|{edge.start}"),
                targetVertex=guid("vertex", f"{each.key}|{edge.end}"),
                direction="OneWay",
            )


def _add_vertices(graph: Element, drawn: Map, sources: set[str]) -> None:
    """Add the nodes in rows, one a kind, as they stand in the map."""
    kinds = list(dict.fromkeys(node.kind for node in drawn.nodes))
    filled = dict.fromkeys(kinds, 0)
    for node in drawn.nodes:
        x, y = STEP_X * filled[node.kind], STEP_Y * kinds.index(node.kind)
        filled[node.kind] += 1
        vertex = SubElement(
            graph,
            "Vertex",
            guid=guid("vertex", f"{drawn.key}|{node.key}"),
            name=_clean(node.label),
            firstX=str(x),
            firstY=str(y),
        )
        if node.key in sources:
            vertex.set("representedGUID", guid("piece", node.key))


# --- text


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def _xml(root: Element) -> bytes:
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
