"""A form's own files: published with it, kept for each version, and sent so that nothing in them can run."""

import gzip
import hashlib
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from collector.db import open_engine, prepare_store
from collector.form_store import FormStore, VersionTaken
from collector.forms.report import FormErrors
from collector.forms.xform.digest import form_digest
from collector.problems import ProblemError
from collector.queries.forms import MAX_FILES_BYTES, PIECE_BYTES
from collector.routes.media import KEPT_BYTES, KEPT_SOUND_BYTES, media_address, media_addresses, range_of
from tests.conftest import Node

MakeNode = Callable[..., Node]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "ran"</script></svg>'
FILES = {
    "fuentes.csv": "name,label\npozo,Pozo\nrio,Río\n".encode(),
    "pozo azul.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
    "sí.svg": SVG,
    "voz.mp3": bytes(range(250)) * 40,
}
SOUND = FILES["voz.mp3"]


def xform_with_files(version: str = "1", form_id: str = "agua") -> str:
    """Return a form with a list from a file, a picture and a sound on its question, and a picture on a choice."""
    return f"""<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
    xmlns:jr="http://openrosa.org/javarosa">
  <h:head><h:title>Agua</h:title><model>
    <itext><translation lang="default" default="true()">
      <text id="si-0"><value>Sí</value><value form="image">jr://images/sí.svg</value></text>
      <text id="fuente"><value>¿De dónde toma el agua?</value>
        <value form="image">jr://images/pozo azul.png</value><value form="audio">jr://audio/voz.mp3</value></text>
    </translation></itext>
    <instance><data id="{form_id}" version="{version}"><fuente/><ok/></data></instance>
    <instance id="fuentes" src="jr://file-csv/fuentes.csv"/>
    <instance id="si"><root><item><itextId>si-0</itextId><name>s</name></item></root></instance>
    <bind nodeset="/data/fuente" type="string"/><bind nodeset="/data/ok" type="string"/>
  </model></h:head>
  <h:body>
    <select1 ref="/data/fuente"><label ref="jr:itext('fuente')"/>
      <itemset nodeset="instance('fuentes')/root/item"><value ref="name"/><label ref="label"/></itemset></select1>
    <select1 ref="/data/ok"><label>¿Está bien?</label>
      <itemset nodeset="instance('si')/root/item"><value ref="name"/><label ref="jr:itext(itextId)"/></itemset>
    </select1>
  </h:body></h:html>"""


@pytest.fixture
def forms(tmp_path: Path) -> FormStore:
    """Give the forms of a new store."""
    engine = open_engine(f"sqlite:///{tmp_path / 'collector.db'}")
    prepare_store(engine)
    return FormStore(engine)


def choices(forms: FormStore, version: str = "1") -> list[str]:
    form = forms.get("agua", version)
    assert form is not None
    return [choice.name for choice in form.lists["fuentes"]]


# --- kept


def test_a_form_is_published_with_its_files_and_asks_what_its_list_says(forms: FormStore) -> None:
    assert forms.install(xform_with_files(), "agua.xlsx", b"", FILES)
    assert choices(forms) == ["pozo", "rio"]
    for name, content in FILES.items():
        file = forms.file("agua", "1", name)
        assert file is not None and file.content == content
    assert forms.file("agua", "1", "otra.png") is None and forms.file("agua", "2", "voz.mp3") is None
    facts = [(file.name, file.media_type, file.size_bytes) for file in forms.files("agua", "1")]
    assert facts == [
        ("fuentes.csv", "text/csv; charset=utf-8", 30),
        ("pozo azul.png", "image/png", 2056),
        ("sí.svg", "image/svg+xml", len(SVG)),
        ("voz.mp3", "audio/mpeg", 10_000),
    ]
    assert forms.files("agua", "2") == []


def test_each_version_keeps_its_own_files(forms: FormStore) -> None:
    forms.install(xform_with_files("1"), files=FILES)
    forms.install(xform_with_files("2"), files=FILES | {"fuentes.csv": b"name,label\nlluvia,Lluvia\n"})
    assert (choices(forms, "1"), choices(forms, "2")) == (["pozo", "rio"], ["lluvia"])
    first, second = (forms.file("agua", version, "fuentes.csv") for version in "12")
    assert first is not None and second is not None and first.content != second.content


def test_versions_with_the_same_files_keep_their_content_once(forms: FormStore, tmp_path: Path) -> None:
    video = random.Random(1).randbytes(3_000_000)
    store = tmp_path / "collector.db"
    for version in range(10):
        forms.install(xform_with_files(str(version)), files=FILES | {"a.mp4": video, "otra.mp4": video})
    kept = forms.file("agua", "9", "otra.mp4")
    assert kept is not None and kept.content == video
    assert sum(file.stat().st_size for file in tmp_path.iterdir() if file.name.startswith(store.name)) < 3 * len(video)


@pytest.mark.parametrize(
    ("start", "count"), [(0, 10), (PIECE_BYTES - 3, 6), (PIECE_BYTES, 1), (5, 2 * PIECE_BYTES + 9)]
)
def test_a_piece_is_read_from_the_middle_of_a_file(forms: FormStore, start: int, count: int) -> None:
    content = random.Random(2).randbytes(3 * PIECE_BYTES + 5)
    forms.install(xform_with_files(), files=FILES | {"a.mp4": content})
    sha256 = hashlib.sha256(content).hexdigest()
    assert forms.file_piece(sha256, start, count) == content[start : start + count]
    assert forms.file_piece(sha256, len(content) - 2, count) == content[-2:][:count]
    assert forms.file_piece(sha256, len(content), count) == forms.file_piece("0" * 64, start, count) == b""


def test_the_same_version_with_other_files_is_taken(forms: FormStore) -> None:
    assert forms.install(xform_with_files(), files=FILES)
    assert not forms.install(xform_with_files(), files=dict(reversed(FILES.items())))
    for other in ({**FILES, "voz.mp3": b"otra"}, {**FILES, "mapa.png": b""}):
        with pytest.raises(VersionTaken):
            forms.install(xform_with_files(), files=other)
    file = forms.file("agua", "1", "voz.mp3")
    assert file is not None and file.content == SOUND
    assert [row.sha256 for row in forms.versions()] == [form_digest(xform_with_files(), FILES)]


def test_a_list_with_a_byte_order_mark_reads_the_same(forms: FormStore) -> None:
    forms.install(xform_with_files(), files={"fuentes.csv": b"\xef\xbb\xbf" + FILES["fuentes.csv"]})
    assert choices(forms) == ["pozo", "rio"]


def test_a_list_that_is_not_utf8_is_refused_with_what_to_do(forms: FormStore) -> None:
    with pytest.raises(FormErrors) as caught:
        forms.install(xform_with_files(), files={"fuentes.csv": "name,label\nrio,Río\n".encode("cp1252")})
    [problem] = caught.value.problems
    assert "«fuentes.csv» no está en UTF-8" in problem.message and "UTF-8" in problem.hint and problem.hint_en
    assert forms.versions() == []


@pytest.mark.parametrize("name", ["", ".", "..", ".oculto", "a/b.png", "a\\b.png", "a\nb.png", "a\x00", "x" * 201])
def test_a_file_that_cannot_have_its_name_is_refused(forms: FormStore, name: str) -> None:
    with pytest.raises(FormErrors):
        forms.install(xform_with_files(), files={**FILES, name: b"x"})
    assert forms.versions() == []


def test_files_that_weigh_too_much_together_are_refused(forms: FormStore) -> None:
    half = bytes(MAX_FILES_BYTES // 2)
    with pytest.raises(ProblemError) as caught:
        forms.install(xform_with_files(), files={**FILES, "a.mp4": half, "b.mp4": half})
    assert caught.value.problem.code == "too_large"


def test_a_name_as_a_mac_writes_it_is_the_name_that_the_form_says(forms: FormStore) -> None:
    apart = {unicodedata.normalize("NFD", name): content for name, content in FILES.items()}
    assert set(apart) != set(FILES)
    forms.install(xform_with_files(), files=apart)
    assert [file.name for file in forms.files("agua", "1")] == sorted(FILES)
    assert forms.file("agua", "1", unicodedata.normalize("NFD", "sí.svg")) is not None
    assert not forms.install(xform_with_files(), files=FILES)


# --- sent


@pytest.fixture
def node(make_node: MakeNode) -> Node:
    """Give a node with the form and its files."""
    node = make_node("campo")
    node.app.state.forms.install(xform_with_files(), files=FILES)
    return node


def address(node: Node, name: str) -> str:
    return f"{node.url}/f/agua/1/media/{quote(name, safe='')}"


@pytest.mark.parametrize("name", FILES)
def test_every_file_comes_whole_with_its_type_and_is_kept_for_a_week(node: Node, name: str) -> None:
    answer = httpx.get(address(node, name))
    assert (answer.status_code, answer.content) == (200, FILES[name])
    [facts] = [file for file in node.app.state.forms.files("agua", "1") if file.name == name]
    headers = answer.headers
    assert headers["content-type"] == facts.media_type
    assert headers["cache-control"] == "max-age=604800" and headers["x-collector"] == "1"
    assert headers["etag"] == f'"{hashlib.sha256(FILES[name]).hexdigest()[:16]}"'
    known = httpx.get(address(node, name), headers={"If-None-Match": f'"otra", W/{headers["etag"]}'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", headers["etag"])
    head = httpx.head(address(node, name))
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", facts.media_type)


@pytest.mark.parametrize("name", FILES)
def test_nothing_in_a_file_can_run(node: Node, name: str) -> None:
    headers = httpx.get(address(node, name)).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy and "sandbox" in policy
    assert not [rule for rule in policy if rule.startswith(("script-src", "object-src", "frame-src"))]
    shown = headers["content-disposition"].startswith("inline")
    assert shown == name.endswith((".png", ".mp3"))
    assert headers["content-disposition"].endswith(f"filename*=UTF-8''{quote(name, safe='')}")


@pytest.mark.parametrize(
    "name", ["pagina.html", "pagina.xhtml", "guion.js", "guion.mjs", "hoja.css", "sin ending", "a.PNG.htm"]
)
def test_a_file_that_would_be_a_page_of_ours_is_only_bytes(make_node: MakeNode, name: str) -> None:
    node = make_node("campo")
    node.app.state.forms.install(xform_with_files(), files={**FILES, name: b"<script>alert(1)</script>"})
    headers = httpx.get(address(node, name)).headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")


def test_lists_and_drawings_go_gzipped_to_who_takes_that(make_node: MakeNode) -> None:
    node = make_node("campo")
    rows = "name,label\n" + "".join(f"v{number},Vereda {number}\n" for number in range(5000))
    node.app.state.forms.install(xform_with_files(), files={**FILES, "fuentes.csv": rows.encode()})
    with httpx.stream("GET", address(node, "fuentes.csv"), headers={"Accept-Encoding": "gzip"}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip" and len(body) < len(rows) / 3
    assert gzip.decompress(body).decode() == rows
    plain = httpx.get(address(node, "fuentes.csv"), headers={"Accept-Encoding": "identity", "Range": "bytes=0-9"})
    assert (plain.status_code, plain.text, plain.headers["accept-ranges"]) == (200, rows, "none")
    assert "content-encoding" not in httpx.get(address(node, "voz.mp3"), headers={"Accept-Encoding": "gzip"}).headers


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-", 0, 10_000), ("0-0", 0, 1), ("100-199", 100, 200), ("9990-", 9990, 10_000), ("-10", 9990, 10_000),
     ("9999-20000", 9999, 10_000), ("-20000", 0, 10_000)],
)  # fmt: skip
def test_a_player_gets_the_range_it_asks_for(node: Node, asked: str, start: int, stop: int) -> None:
    answer = httpx.get(address(node, "voz.mp3"), headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer.content) == (206, SOUND[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/10000"
    assert answer.headers["content-type"] == "audio/mpeg"


def test_a_range_beyond_the_end_is_answered_with_the_size(node: Node) -> None:
    for asked in ("bytes=10000-", "bytes=20000-30000", "bytes=-0"):
        answer = httpx.get(address(node, "voz.mp3"), headers={"Range": asked})
        assert (answer.status_code, answer.content) == (416, b"")
        assert answer.headers["content-range"] == "bytes */10000"


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=5-2", "bytes=0-1,5-6", "bytes=a-b", "lines=0-5", "", "bytes=" + "9" * 5000 + "-"]
)
def test_a_range_that_is_not_understood_gets_the_whole(node: Node, asked: str) -> None:
    assert range_of(asked, 10) is None
    answer = httpx.get(address(node, "voz.mp3"), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, SOUND)


def test_a_range_of_what_is_another_file_by_now_gets_the_whole(node: Node) -> None:
    etag = httpx.get(address(node, "voz.mp3")).headers["etag"]
    same = httpx.get(address(node, "voz.mp3"), headers={"Range": "bytes=5-9", "If-Range": etag})
    other = httpx.get(address(node, "voz.mp3"), headers={"Range": "bytes=5-9", "If-Range": '"otra"'})
    assert (same.status_code, same.content, other.status_code, other.content) == (206, SOUND[5:10], 200, SOUND)


@pytest.mark.parametrize(
    "path",
    ["/f/agua/1/media/otra.png", "/f/agua/2/media/voz.mp3", "/f/otra/1/media/voz.mp3", "/f/agua/1/media/",
     "/f/agua/1/media/..%2F..%2Fagua", "/f/agua/1/media/%2e%2e", "/f/agua/1/media/a%2Fvoz.mp3", "/f/agua/1/media/%00"],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_like_others(node: Node, path: str) -> None:
    answer = httpx.get(node.url + path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["cache-control"] == "no-store"
    seen = httpx.get(node.url + path, headers={"Accept": "text/html"})
    assert seen.status_code == 404 and "Aquí no hay nada" in seen.text


# --- for the page


def test_the_page_keeps_pictures_and_short_sounds_and_nothing_else(forms: FormStore) -> None:
    files = {**FILES, "sin nombrar.png": b"x"}
    forms.install(xform_with_files(), files=files)
    form = forms.get("agua", "1")
    assert form is not None
    assert media_addresses(form, forms.files("agua", "1")) == [
        "/f/agua/1/media/pozo%20azul.png",
        "/f/agua/1/media/voz.mp3",
        "/f/agua/1/media/s%C3%AD.svg",
    ]
    assert media_address("a/b", "1 2", "jr://images/sí.svg") == "/f/a%2Fb/1%202/media/s%C3%AD.svg"


def test_a_long_sound_and_pictures_beyond_three_megabytes_are_not_kept(forms: FormStore) -> None:
    long = bytes(KEPT_SOUND_BYTES + 1)
    heavy = bytes(KEPT_BYTES)
    forms.install(xform_with_files("1"), files={**FILES, "voz.mp3": long})
    forms.install(xform_with_files("2"), files={**FILES, "pozo azul.png": heavy})
    kept = []
    for version in "12":
        form = forms.get("agua", version)
        assert form is not None
        kept.append([path.rpartition("/")[2] for path in media_addresses(form, forms.files("agua", version))])
    assert kept == [["pozo%20azul.png", "s%C3%AD.svg"], ["pozo%20azul.png"]]
