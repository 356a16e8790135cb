"""Consent in a spreadsheet: its settings become questions before the first, and what is wrong in them is said."""

import hashlib
from collections.abc import Sequence

import pytest

from collector.forms.state import Filling
from tests.forms.sheet_findings import GOOD, SURVEY, findings, form_of, table

NOW = (1_763_800_000_000, -300)
ITEMS = {
    "notice_who": "El municipio de Soná.",
    "notice_purpose": "Para decidir qué mejorar.",
    "notice_legal": "Porque usted acepta. Puede cambiar de idea.",
    "notice_recipients": "Solo el laboratorio.",
    "notice_abroad": "No salen de Panamá.",
    "notice_kept": "Dos años. Luego se borran.",
    "notice_rights": "Con su código puede verlas o borrarlas.",
    "notice_automated": "Ninguna máquina decide por usted.",
    "notice_officer": "Escriba a datos@sona.example.",
}
PLAIN = {"form_id": "f", "version": "1", "consent_version": "3", **ITEMS}
LISTS = (
    ("usos", "citar", "Citar mis palabras sin mi nombre", "", ""),
    ("usos", "contactar", "Buscarme otra vez", "", ""),
    ("edades", "nino", "Menos de 15 años", "", "14"),
    ("edades", "joven", "De 15 a 17 años", "", "17"),
    ("edades", "adulto", "De 18 a 64 años", "", "64"),
    ("edades", "mayor", "65 años o más", "65", ""),
)
FULL = PLAIN | {"purposes": "usos", "min_age": "18", "age_bands": "edades"}


def settings(said: dict[str, str]) -> str:
    return table("settings", tuple(said), tuple(said.values()))


def lists(rows: Sequence[tuple[str, ...]] = LISTS, *more: str) -> str:
    return table("choices", ("list_name", "name", "label", "min_age", "max_age", *more), *rows)


def codes(said: dict[str, str], rows: Sequence[tuple[str, ...]] = LISTS) -> list[tuple[str, str, str, int | None]]:
    """Return what is found in a form with these settings: code, severity, column and row."""
    found = findings(SURVEY, GOOD, choices=lists(rows), settings=settings(said))
    return [(each.code, each.severity, each.column, each.row) for each in found]


def test_the_notice_comes_before_question_one_on_a_page_of_its_own() -> None:
    form = form_of(SURVEY, GOOD, settings=settings(PLAIN))
    assert form.pages[0] == ("/data/consent/notice", "/data/consent/accepted")
    assert [form.question(path).key for page in form.pages[1:] for path in page] == ["idea"]
    notice = form.question("/data/consent/notice")
    assert notice.label == {"": "Antes de empezar"}
    assert notice.hint[""].startswith("Quién pregunta: El municipio de Soná.\n\nPara qué: Para decidir qué mejorar.")
    assert notice.hint[""].count("\n\n") == 8


def test_age_purposes_guardian_and_assent_are_asked_where_the_settings_say_so() -> None:
    form = form_of(SURVEY, GOOD, choices=lists(), settings=settings(FULL))
    asked = [[form.question(path).key for path in page] for page in form.pages]
    assert asked == [
        ["age_band"],
        ["consent/notice", "consent/accepted", "consent/purposes", "consent/guardian", "consent/assent"],
        ["idea"],
    ]
    filling = Filling(form, NOW)
    shown = {}
    for band in ("nino", "joven", "adulto", "mayor"):
        filling.set("/data/age_band", band)
        shown[band] = (filling.relevant["/data/consent/guardian"], filling.relevant["/data/consent/assent"])
    assert shown == {"nino": (True, True), "joven": (True, True), "adulto": (False, False), "mayor": (False, False)}
    troubles = {path: filling.trouble(path) for path in ("/data/consent/accepted", "/data/consent/purposes")}
    assert troubles == {"/data/consent/accepted": "required", "/data/consent/purposes": ""}
    filling.set("/data/age_band", "joven")
    assert filling.trouble("/data/consent/guardian") == filling.trouble("/data/consent/assent") == "required"


def test_a_record_says_which_notice_was_accepted_and_when() -> None:
    form = form_of(SURVEY, GOOD, settings=settings(PLAIN))
    filling = Filling(form, NOW)
    untold = {key: text for key, text in filling.answers().items() if key.startswith("consent/")}
    words = form.question("/data/consent/notice").hint[""]
    sha256 = hashlib.sha256(f"\n{words}\n".encode()).hexdigest()[:16]
    assert untold == {"consent/notice_version": "3", "consent/notice_sha256": sha256}
    filling.set("/data/consent/accepted", "OK")
    assert filling.answers()["consent/at"] == "2025-11-22T03:26:40.000-05:00"
    filling.env.now = (NOW[0] + 60_000, -300)
    filling.set("/data/idea", "Más luz")
    assert filling.answers()["consent/at"] == "2025-11-22T03:26:40.000-05:00", "the time of the tick, not of the end"
    filling.set("/data/consent/accepted", "")
    assert "consent/at" not in filling.answers()
    filling.set("/data/consent/accepted", "OK")
    assert filling.answers()["consent/at"] == "2025-11-22T03:27:40.000-05:00"


def test_another_notice_has_another_hash() -> None:
    def hash_of(**changes: str) -> object:
        form = form_of(SURVEY, GOOD, settings=settings(PLAIN | changes))
        return form.question("/data/consent/notice_sha256").logic.calculate

    assert hash_of() == hash_of(consent_version="4") != hash_of(notice_kept="Tres años. Luego se borran.")


def test_every_language_of_the_form_has_its_notice() -> None:
    survey = (("type", "name", "label::Español (es)", "label::English (en)", "label::Ngäbere (gym)"),
              ("text", "idea", "¿Qué cambiaría?", "What would you change?", "Ñan"))  # fmt: skip
    texts = {f"consent_notice::{name}": words for name, words in (
        ("Español (es)", "Somos el municipio."), ("English (en)", "We are the town."), ("Ngäbere (gym)", "Nun kwe."),
    )}  # fmt: skip
    said = {"form_id": "f", "version": "1", "consent_version": "1", **texts}
    form = form_of(*survey, settings=settings(said | {"consent_accept::Ngäbere (gym)": "Kä"}))
    notice, accepted = form.question("/data/consent/notice"), form.question("/data/consent/accepted")
    assert notice.hint["Ngäbere (gym)"] == "Nun kwe."
    assert accepted.label["Ngäbere (gym)"] == "Kä"
    assert accepted.label["English (en)"] == "Do you agree to answer?"
    assert "Ngäbere (gym)" not in notice.label, "what nobody translated is Spanish, and marked as Spanish"
    found = findings(*survey, settings=settings(said))
    assert [f.column for f in found if f.code == "consent_texts_in_spanish"] == ["consent_title::Ngäbere (gym)"]
    del said["consent_notice::Ngäbere (gym)"]
    found = findings(*survey, settings=settings(said))
    missing = [(f.severity, f.row, f.column) for f in found if f.code == "consent_language_missing"]
    assert missing == [("error", 2, "consent_notice::Ngäbere (gym)")]


def test_questions_may_ask_what_was_consented() -> None:
    survey = ((*SURVEY, "relevant"), ("image", "foto", "Una foto", "selected(${purposes}, 'citar')"))
    form = form_of(*survey, choices=lists(), settings=settings(FULL))
    filling = Filling(form, NOW)
    assert not filling.relevant["/data/foto"]
    filling.set("/data/consent/purposes", "citar contactar")
    assert filling.relevant["/data/foto"]


def test_a_form_that_asks_for_consent_by_itself_is_left_alone() -> None:
    survey = (
        SURVEY,
        ("begin_group", "consent", "Acuerdo"),
        ("acknowledge", "accepted", "¿Acepta?"),
        ("end_group", "", ""),
    )
    form = form_of(*survey, settings=settings({"form_id": "f", "version": "1"}))
    assert [question.key for question in form.questions] == ["consent/accepted"]
    found = findings(*survey, settings=settings(PLAIN))
    taken = [(f.severity, f.sheet, f.row, f.column, f.cell) for f in found if f.code == "consent_name_taken"]
    assert taken == [("error", "survey", 2, "name", "consent"), ("error", "survey", 3, "name", "accepted")]


def test_a_whole_notice_is_published_without_a_word() -> None:
    assert codes(FULL) == []
    assert codes({"form_id": "f", "version": "1"}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consent_version": ""}, ("consent_version_missing", "error", "consent_version", 2)),
        ({"consent_version": "la primera"}, ("consent_version_bad", "error", "consent_version", 2)),
        ({"notice_kept": ""}, ("consent_item_missing", "error", "notice_kept", 2)),
        (dict.fromkeys(ITEMS, ""), ("consent_notice_missing", "error", "consent_notice", 2)),
        (dict.fromkeys(ITEMS, "") | {"consent_notice": "Somos el municipio."},
         ("consent_items_unchecked", "warning", "consent_notice", 2)),
        ({"notice_kept::English (en)": "Two years."},
         ("consent_language_unknown", "error", "notice_kept::English (en)", 2)),
        ({"purposes": "uso"}, ("consent_list_unknown", "error", "purposes", 2)),
        ({"min_age": ""}, ("consent_age_half", "error", "min_age", 2)),
        ({"age_bands": ""}, ("consent_age_half", "error", "age_bands", 2)),
        ({"age_bands": "edad"}, ("consent_list_unknown", "error", "age_bands", 2)),
        ({"min_age": "dieciocho"}, ("consent_age_bad", "error", "min_age", 2)),
        ({"min_age": "17"}, ("consent_band_across", "error", "max_age", 5)),
        ({"min_age": "10"}, ("consent_band_across", "error", "max_age", 4)),
        ({"notice_kept": "La conservación correspondiente se extenderá indefinidamente hasta la finalización "
          "administrativa del procedimiento institucional."}, ("hard_to_read", "warning", "notice_kept", 2)),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_settings_is_said_at_its_cell(
    changes: dict[str, str], expected: tuple[str, str, str, int]
) -> None:
    assert expected in codes(FULL | changes)


def test_an_age_group_without_ages_and_a_ticked_choice_are_refused() -> None:
    rows = (*LISTS, ("edades", "nr", "Prefiero no decir", "", ""))
    assert codes(FULL, rows) == [("consent_band_open", "error", "max_age", 8)]
    ticked = [(*row, "yes" if row[1] == "citar" else "") for row in LISTS]
    found = findings(SURVEY, GOOD, choices=lists(ticked, "default"), settings=settings(FULL))
    assert [(f.code, f.sheet, f.row, f.column) for f in found] == [("consent_default", "choices", 2, "default")]


def test_a_notice_that_is_read_aloud_names_its_file_in_the_settings() -> None:
    said = PLAIN | {"consent_audio": "aviso.mp3"}
    found = findings(SURVEY, GOOD, settings=settings(said))
    assert [(f.code, f.sheet, f.row, f.column, f.cell) for f in found] == [
        ("file_missing", "settings", 2, "consent_audio", "aviso.mp3")
    ]
    form = form_of(SURVEY, GOOD, settings=settings(said), files={"aviso.mp3": b"ID3\x04" + b"\0" * 60})
    assert form.question("/data/consent/notice").media == {"audio": {"default": "jr://audio/aviso.mp3"}}


def test_a_sheet_of_old_style_headers_is_read_as_before() -> None:
    survey = (("type", "name", "label:Español (es)", "label:English (en)"),
              ("text", "idea", "¿Qué cambiaría?", "What would you change?"))  # fmt: skip
    said = {"form_id": "f", "version": "1", "consent_version": "1"}
    said |= {"consent_notice:Español (es)": "Somos el municipio.", "consent_notice:English (en)": "We are the town."}
    form = form_of(*survey, settings=settings(said))
    assert form.question("/data/idea").label == {
        "Español (es)": "¿Qué cambiaría?",
        "English (en)": "What would you change?",
    }
    assert form.question("/data/consent/notice").hint["English (en)"] == "We are the town."


def test_the_first_question_of_a_form_may_be_the_one_for_the_age() -> None:
    survey = ((*SURVEY, "required"), ("select_one edades", "edad", "¿Qué edad tiene?", "yes"), (*GOOD, ""))
    form = form_of(*survey, choices=lists(), settings=settings(FULL))
    assert [page[0] for page in form.pages] == ["/data/edad", "/data/consent/notice", "/data/idea"]
    filling = Filling(form, NOW)
    filling.set("/data/edad", "joven")
    assert filling.trouble("/data/consent/guardian") == "required"
    survey = ((*SURVEY, "required"), ("select_one edades", "edad", "¿Qué edad tiene?", ""), (*GOOD, "yes"))
    found = findings(*survey, choices=lists(), settings=settings(FULL))
    assert [(f.code, f.row, f.column) for f in found] == [("consent_age_optional", 2, "required")]
    found = findings(SURVEY, GOOD, survey[1][:3], choices=lists(), settings=settings(FULL))
    assert [(f.code, f.row, f.column) for f in found] == [("consent_age_twice", 3, "type")]


def test_what_is_wrong_after_the_rows_of_consent_keeps_its_row() -> None:
    age, wrong = ("select_one edades", "edad", "¿Qué edad tiene?", "yes"), ("range", "r", "¿Cuánto?", "x y z (")
    survey = ((*SURVEY, "required"), age, ("", "", "", ""), ("text", "idea", "¿Qué?", "${nada}"), wrong)
    found = findings(*survey, choices=lists(), settings=settings(FULL))
    assert [(f.row, f.column) for f in found if f.severity == "error"] == [(4, "required"), (5, "required")]
