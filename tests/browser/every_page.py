"""Every page of the project on furnished nodes, each in the states that people meet: for axe and for pictures.

A walk brings a page from state to state and yields the name of each. `WALKS` says by which addresses each one leads;
`NO_PAGE` lists the addresses that answer no page. One that stands in neither fails test_axe.py: who adds a page adds
its walk here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter
from playwright.sync_api import Page
from starlette.routing import Route

from collector.addresses import every_router
from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.form_plan import Plan, Quota
from collector.queries import nodes, store
from collector.queries.people import put_user
from collector.queries.plans import put_plan
from collector.queries.records import Arrival, ingest
from collector.receipt_codes import claim_of, make_code
from collector.room_store import make_contribution
from collector.settings import Settings
from sync.push import enrol
from sync.records import canonical_bytes, read_record
from tests.browser.conftest import fill_confianza, fill_tarjeta, go_on, ready, until_kept
from tests.browser.people_form import beep, people_files, people_xform
from tests.browser.rich_form import rich_xform
from tests.conftest import Node, serve, submission
from tests.forms.sheet_findings import GOOD, SURVEY, steps, table
from tests.forms.test_consent_forms import FULL, lists, settings
from tests.lab.conftest import EMAIL, PASSWORD, PIN, hashed
from tests.rooms.sample import STEPS
from tests.rooms_web.furnished_room import HOST, open_full_room, open_small_room, put
from tests.rooms_web.people_room import EVERY_TYPE, PeopleRoom

ANSWERED = {
    "relato": "Falta alumbrado en la calle.", "tema": "servicios", "lugar/provincia": "08", "lugar/municipio": "0810",
}  # fmt: skip
BAD_FORM = "| survey | | | |\n| | type | name | label |\n| | text | idea | |\n| | integer | edad | ${nadie} |\n"


@dataclass
class World:
    """A central with answers, and a tablet that sends to it. `codes`: receipt codes of answers, each used once."""

    central: Node
    tablet: Node
    tablet_id: str
    conflict: str
    record: str
    codes: list[str] = field(default_factory=list)


@contextmanager
def furnished(folder: Path, xforms: dict[str, str]) -> Iterator[World]:
    """Give both nodes, with forms, answers, a conflict, a person of the lab and a PIN."""
    central = serve(Settings(data_dir=folder / "central", name="Central", sync_seconds=0))
    tablet = serve(Settings(data_dir=folder / "campo", name="Tableta 3 · Soná", sync_seconds=0))
    try:
        yield _furnish(central, tablet, xforms)
    finally:
        tablet.stop()
        central.stop()


def _furnish(central: Node, tablet: Node, xforms: dict[str, str]) -> World:
    forms = central.app.state.forms
    forms.install(rich_xform())
    forms.install(people_xform(), files=people_files())
    forms.install(steps(table("survey", SURVEY, GOOD) + lists() + settings(FULL | {"form_id": "permiso"}))[-1]["xform"])
    for name in ("servicios", "confianza", "tarjeta"):
        forms.install(xforms[name], f"{name}.xlsx")
    for node in (central, tablet):
        with writing(node.app.state.engine) as session:
            put_user(session, EMAIL, hashed(PASSWORD), now_ms())
            store.set_fact(session, "pin_hash", hashed(PIN))
    with writing(central.app.state.engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    with httpx.Client() as http:
        enrol(tablet.app.state.engine, http, central.url, code, "Tableta 3 · Soná")
    tablet.app.state.sync_now()
    first = submission()
    _post(tablet, first, *(submission() for _ in range(12)))
    tablet.app.state.sync_now()
    other = first | {"answers": {**first["answers"], "confianza_gente": "4"}}  # type: ignore[dict-item]
    _put(central, first, other)
    codes = [make_code() for _ in range(4)]
    for each in codes:
        _post(central, submission(form="tarjeta", answers=ANSWERED, claim=claim_of(each)))
    _post(tablet, submission())
    with reading(tablet.app.state.engine) as session:
        tablet_id = store.fact(session, "node_id")
    record = submission()
    _post(central, record)
    return World(central, tablet, tablet_id, str(first["id"]), str(record["id"]), codes)


def _post(node: Node, *contents: dict[str, Any]) -> None:
    body = b"".join(canonical_bytes(content) + b"\n" for content in contents)
    httpx.post(
        f"{node.url}/sync/v1/outbox", content=body, headers={"Content-Type": "application/x-ndjson"}
    ).raise_for_status()


def _put(node: Node, *contents: dict[str, Any]) -> None:
    read = [read_record(canonical_bytes(content).decode()) for content in contents]
    arrivals = [Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version, r.why) for r in read]
    with writing(node.app.state.engine) as session:
        ingest(session, arrivals, now_ms())


# --- walks

Walk = Callable[[Page, World], Iterator[str]]
WALKS: dict[Walk, tuple[str, ...]] = {}
NO_PAGE = {
    "/f/{form_id}", "/f/{form_id}/current", "/f/{form_id}/{version}/form.json", "/f/{form_id}/{version}/media/{name}",
    "/f/{form_id}/{version}/media/voice/{digest}",
    "/k/{form_id}", "/k/{form_id}/current", "/k/{form_id}/{version}/media/{name}", "/E/{code}", "/codigo/descargar",
    "/equipo/estado.json", "/equipo/qr/{form_id}.svg", "/equipo/salir", "/equipo/enviar", "/lab/logout",
    "/equipo/paquetes/hacer", "/equipo/paquetes/recibo", "/lab/equipos/{node_id}/nombre",
    "/lab/equipos/{node_id}/alarma", "/forms/{form_id}/export.csv", "/records/{record_id}.xml", "/lab/archivo/{sha256}",
    "/static/{version}/{path:path}", "/s/{code}/salir", "/s/{code}/reaccion",
    "/sala/{session}/paso/{name}", "/sala/{session}/tiempo/{name}", "/sala/{session}/presentes",
    "/sala/{session}/puestos", "/sala/{session}/consentimiento", "/sala/{session}/datos", "/sala/{session}/moderar",
    "/sala/{session}/deshacer", "/sala/{session}/notas/deshacer", "/s/{code}/cambios",
    "/sala/{session}/puesto/{seat}/borrar", "/lab/temas.csv",
    "/sala/guias/{key}/archivo", "/sala/guias/{key}/quitar", "/sala/guias/ejemplo/{name}.{ending}",
    "/sala/{session}/llevar/{name}.csala",
    "/app/guias.json", "/sala/{session}/foto/{photo}",
    "/s/{code}/envios", "/sala/envios", "/lab/temas/libro.qdc", "/lab/forms/{form_id}/temas/{name}",
    "/lab/vista/{token}/form.json", "/lab/vista/{token}/media/{name}", "/lab/vista/{token}/media/voice/{digest}",
    "/lab/formularios/{form_id}/cerrar",
    "/lab/formularios/{form_id}/abrir", "/lab/formularios/{form_id}/fuente", "/lab/equipos/{node_id}/municipio",
    "/lab/auditoria.csv", "/lab/al-dia/aviso.txt", "/lab/al-dia/tablero.csv", "/lab/al-dia/informes.csv",
    "/lab/forms/{form_id}/diccionario.csv", "/lab/llevar/{job_id}/archivo", "/municipio/{code}.csv",
    "/lab/forms/{form_id}/contado", "/lab/entregas.csv",
    "/sw.js", "/favicon.ico", "/health", "/manifest.webmanifest", "/app/lista.json",
}  # fmt: skip
# speak no HTML
MACHINES = (
    "/sync/",
    "/api/",
    "/v1/",
    "/feed",
    "/report",
    "/trace",
    "/proof",
    "/forms",
    "/form-files",
    "/plans",
    "/voices/",
    "/rooms",
)


def all_addresses() -> set[str]:
    """Return the address of every route that people may meet, however its router was included."""
    found: set[str] = set()
    waiting: list[Any] = [route for router in every_router() for route in router.routes]
    while waiting:
        route = waiting.pop()
        if isinstance(route, Route):
            found.add(route.path)
        else:
            inner: APIRouter = route.original_router
            waiting += inner.routes
    return {path for path in found if not path.startswith(MACHINES) or path in NO_PAGE}


def walk(*addresses: str) -> Callable[[Walk], Walk]:
    """Say by which addresses a walk leads."""

    def note(found: Walk) -> Walk:
        WALKS[found] = addresses
        return found

    return note


def visit(page: Page, node: Node, path: str) -> None:
    """Go there under a name that is a secure origin; signs in where a door asks."""
    page.goto(f"http://localhost:{node.port}{path}")
    if "/lab/login" in page.url and not path.startswith("/lab/login"):
        page.fill("[name=email]", EMAIL)
        page.fill("[name=password]", PASSWORD)
        page.click("main button.next")
        page.goto(f"http://localhost:{node.port}{path}")
    if "/equipo/pin" in page.url and path != "/equipo/pin":
        page.fill("[name=pin]", PIN)
        page.click("main button.next")
        page.goto(f"http://localhost:{node.port}{path}")


@walk("/", "/offline", "/e", "/e/{code}", "/codigo", "/app", "/r/{record_id}", "/respuesta/{record_id}")
def plain_pages(page: Page, world: World) -> Iterator[str]:
    node = world.central
    for name, path in {
        "start": "/", "offline": "/offline", "code-of-form": "/e", "code-unknown": "/e/zzzzz",
        "receipt-code": "/codigo", "web-app": "/app",
        "thanks": f"/r/{world.record}", "where": f"/respuesta/{world.record}", "not-found": "/nada",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name


@walk("/f/{form_id}/{version}", "/mis-respuestas")
def survey(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/f/confianza")
    ready(page)
    yield "survey-first"
    go_on(page)
    page.wait_for_selector("#trouble:not([hidden])")
    yield "survey-error"
    page.click("[data-lang^=English]")
    yield "survey-english"
    page.click("[data-lang^=Espa]")
    fill_confianza(page)
    page.wait_for_selector(".page:not([hidden]) .scale")
    yield "survey-scale"
    until_kept(page, '"ns"')
    visit(page, world.central, "/f/confianza")
    page.wait_for_selector("[data-new]:visible")
    yield "survey-begun"
    visit(page, world.central, "/mis-respuestas")
    page.wait_for_selector("text=A medias")
    yield "mine-begun"
    visit(page, world.central, "/f/confianza")
    page.click("[data-new]:visible")
    ready(page)
    fill_confianza(page)
    go_on(page, "send")
    page.wait_for_selector("section.thanks")
    yield "survey-thanks"
    visit(page, world.central, "/mis-respuestas")
    page.wait_for_selector("[data-records] li, .items li")
    yield "mine"


@walk()
def spoken_survey(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/f/fuentes")
    ready(page)
    yield "spoken-first"
    page.click(".opt:visible >> nth=0")
    yield "spoken-chosen"
    for number in range(2, 10):
        go_on(page)
        yield f"spoken-{number}"
    page.locator("[data-add]:visible").first.click()
    yield "spoken-rows"


@walk()
def rich_survey(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/f/hogar")
    ready(page)
    page.fill("[name=jefe]", "Ana")
    for number in range(1, 30):
        yield f"rich-{number}"
        if page.is_visible("[name=acepta]"):
            page.check("[name=acepta]")
        if page.is_visible("[name=cuantos]"):
            page.fill("[name=cuantos]", "2")
        for each in page.locator("[name$='/nombre']:visible").all():
            each.fill("Beto")
        if page.is_hidden("[value=next]"):
            break
        go_on(page)


@walk()
def consent(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/f/permiso")
    ready(page)
    yield "consent-age"
    page.click(".opt:visible >> nth=0")
    go_on(page)
    yield "consent-minor"
    go_on(page)
    page.wait_for_selector("#trouble:not([hidden])")
    yield "consent-missing"


@walk("/codigo", "/codigo/ver", "/codigo/corregir/{record_id}", "/codigo/borrar")
def own_answers(page: Page, world: World) -> Iterator[str]:
    def find(code: str) -> None:
        visit(page, world.central, "/codigo")
        page.fill("#code", code)
        page.click("button.next")

    find("7K2M-94QD")
    yield "code-wrong"
    find(world.codes.pop())
    yield "code-found"
    page.click("button:has-text('Corregir')")
    yield "code-correct"
    find(world.codes.pop())
    page.click("button:has-text('Ver mis respuestas')")
    yield "code-answers"
    find(world.codes.pop())
    page.click("button:has-text('Borrar mis respuestas')")
    yield "code-erase"
    page.click("main form button.btn >> nth=0")
    yield "code-erased"


@walk("/pasar", "/retomar")
def handing_over(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/pasar")
    page.wait_for_selector("h1:visible")
    yield "hand-over-none"
    visit(page, world.central, "/f/tarjeta")
    ready(page)
    page.fill("[name=relato]", "La quebrada huele mal.")
    go_on(page)
    until_kept(page, '"step":[2,')
    visit(page, world.central, "/pasar")
    page.wait_for_selector("button:visible[data-go]")
    yield "hand-over"
    page.click("button:visible[data-go]")
    page.wait_for_selector("[data-qr]:visible")
    yield "hand-over-left"
    visit(page, world.central, "/retomar")
    page.wait_for_selector("#code:visible")
    yield "take-up"
    page.fill("#code", "ABC")
    page.click("button.next:visible")
    page.wait_for_selector(".banner:visible")
    yield "take-up-wrong"


@walk("/k/{form_id}/{version}", "/equipo/entregar-tableta")
def kiosk(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/equipo/entregar-tableta")
    yield "kiosk-choose"
    visit(page, world.central, "/k/tarjeta")
    page.wait_for_selector("text=La encuesta ya está en esta tableta")
    yield "kiosk-setup"
    page.fill("#new-pin", "2580")
    page.click("text=Empezar")
    page.wait_for_selector("[data-screen=neutral]:not([hidden]) >> text=Soy la siguiente persona")
    yield "kiosk-neutral"
    page.click("[data-leave]")
    page.wait_for_selector("[data-screen=pin]:not([hidden])")
    yield "kiosk-pin"
    page.click("[data-stay]")
    page.click("[data-begin]")
    inner = page.frame_locator("[data-frame] iframe")
    inner.locator("body[data-ready]").wait_for()
    yield "kiosk-turn"
    page.click("[data-stop]")
    page.wait_for_selector("[data-sure]:not([hidden])")
    yield "kiosk-sure"
    page.click("[data-go-on]")
    frame: Any = next(each for each in page.frames if each.parent_frame and "/f/" in each.url)
    fill_tarjeta(frame)
    go_on(frame, "send")
    page.wait_for_selector("[data-screen=thanks]:not([hidden])")
    yield "kiosk-thanks"
    page.click("[data-done]")
    page.wait_for_selector("[data-screen=neutral]:not([hidden])")
    page.click("[data-leave]")
    page.fill("#pin", "2580")
    page.click("[data-pin] button.next")
    page.wait_for_selector("[data-screen=left]:not([hidden])")
    yield "kiosk-left"


@walk("/equipo/pin", "/equipo", "/equipo/paquetes", "/equipo/inscribir", "/equipo/vaciar", "/equipo/codigo")
def facilitator(page: Page, world: World) -> Iterator[str]:
    visit(page, world.tablet, "/equipo/pin")
    yield "pin"
    page.fill("[name=pin]", "000000")
    page.click("main button.next")
    yield "pin-wrong"
    for name, path in {
        "today": "/equipo", "bundles": "/equipo/paquetes", "enrol": "/equipo/inscribir", "wipe": "/equipo/vaciar",
    }.items():  # fmt: skip
        visit(page, world.tablet, path)
        yield name
    page.click("main form button >> nth=0")
    yield "wipe-asked"
    visit(page, world.tablet, "/equipo/inscribir")
    page.fill("main [name=address], main [name=url], main input.field >> nth=0", "http://127.0.0.1:9")
    yield "enrol-typed"
    visit(page, world.tablet, "/equipo")
    page.click("button:has-text('Dar un código')")
    yield "hub-code"


@walk("/equipo/paquetes/traer")
def wrong_bundles(page: Page, world: World) -> Iterator[str]:
    visit(page, world.tablet, "/equipo/paquetes")
    file: Any = {"name": "x.txt", "mimeType": "text/plain", "buffer": b"nada"}
    page.set_input_files("form[action$=traer] [type=file]", file)
    page.click("form[action$=traer] button")
    yield "bundle-wrong"


@walk(
    "/equipo/cartel/{form_id}", "/equipo/enlaces/{form_id}", "/equipo/enlaces/{form_id}/{batch}",
    "/equipo/papel/{form_id}", "/equipo/papel/{form_id}/{batch}", "/equipo/digitar/{form_id}",
)  # fmt: skip
def paper(page: Page, world: World) -> Iterator[str]:
    node = world.central
    for name, path in {
        "poster": "cartel/fuentes",
        "cards": "cartel/tarjeta?solo=1",
        "links": "enlaces/tarjeta",
    }.items():
        visit(page, node, f"/equipo/{path}")
        yield name
    page.click("button:has-text('Hacer los enlaces')")
    yield "link-cards"
    visit(page, node, "/equipo/papel/servicios")
    yield "paper"
    page.fill("[name=n]", "1")
    page.click("main form button.next")
    yield "paper-sheets"
    serial = page.locator(".serial").first.inner_text()
    visit(page, node, "/equipo/digitar/servicios")
    yield "paper-serial"
    visit(page, node, f"/equipo/digitar/servicios?hoja={serial[:-1]}")
    yield "paper-serial-wrong"
    visit(page, node, f"/equipo/digitar/servicios?hoja={serial}")
    yield "paper-entry"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".line.bad")
    yield "paper-entry-wrong"


@walk("/lab/login", "/lab", "/lab/forms/{form_id}", "/lab/records/{record_id}", "/lab/publicar")
def lab(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/lab/login")
    yield "lab-login"
    page.fill("[name=email]", EMAIL)
    page.fill("[name=password]", "otra")
    page.click("main button.next")
    yield "lab-login-wrong"
    for name, path in {
        "lab": "/lab", "lab-form": "/lab/forms/confianza", "lab-form-empty": "/lab/forms/hogar",
        "lab-form-filtered": "/lab/forms/confianza?lugar=0810&pregunta=edad&valor=18_29",
        "lab-record": f"/lab/records/{world.record}", "publish": "/lab/publicar",
    }.items():  # fmt: skip
        visit(page, world.central, path)
        yield name
    file: Any = {"name": "malo.md", "mimeType": "text/markdown", "buffer": BAD_FORM.encode()}
    page.set_input_files("[type=file] >> nth=0", file)
    page.click("main form button.next")
    yield "publish-report"


@walk("/lab/personas", "/lab/personas/cambiar", "/lab/fichas", "/lab/fichas/retirar", "/lab/auditoria", "/lab/cuenta",
      "/lab/cuenta/clave", "/lab/cuenta/codigos", "/lab/cuenta/codigos/quitar", "/lab/cuenta/navegadores",
      "/lab/login/codigo")  # fmt: skip
def people_of_the_lab(page: Page, world: World) -> Iterator[str]:
    for name, path in {
        "people": "/lab/personas", "tokens-none": "/lab/fichas", "audit": "/lab/auditoria",
        "audit-none": "/lab/auditoria?quien=nadie", "audit-purpose": "/lab/auditoria.csv", "account": "/lab/cuenta",
        "second-step": "/lab/cuenta/codigos", "login-code": "/lab/login/codigo",
    }.items():  # fmt: skip
        visit(page, world.central, path)
        yield name
    visit(page, world.central, "/lab/personas")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.fill("#new-email", "nueva@ejemplo.pa")
    page.fill("#new-purpose", "entra al equipo")
    page.click("main button.next")
    page.wait_for_selector("#one-time")
    yield "people-told"
    visit(page, world.central, "/lab/fichas")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.fill("#name", "R de Luis")
    page.fill("#purpose", "informe de junio")
    page.click("main button.next")
    page.wait_for_selector("#token")
    yield "tokens-made"


@walk(
    "/lab/forms/{form_id}/llevar", "/lab/llevar/{job_id}", "/lab/forms/{form_id}/diccionario",
    "/lab/forms/{form_id}/textos/{key:path}", "/lab/entregas",
)  # fmt: skip
def taking_away(page: Page, world: World) -> Iterator[str]:
    node = world.central
    for name, path in {
        "codebook": "/lab/forms/confianza/diccionario", "texts": "/lab/forms/tarjeta/textos/relato",
        "texts-none": "/lab/forms/tarjeta/textos/relato?q=ballena", "transfers-none": "/lab/entregas",
        "take": "/lab/forms/confianza/llevar",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    page.fill("#purpose", "?")
    page.click("main button.next")
    page.wait_for_selector("#trouble")
    yield "take-what-for"
    page.fill("#purpose", "informe de junio")
    page.click("main button.next")
    page.wait_for_selector("text=Bajar el archivo")
    yield "take-made"
    visit(page, node, "/lab/forms/confianza/llevar")
    page.fill("#purpose", "informe de junio")
    page.select_option("#profile", "1")
    page.click("main button.next")
    page.wait_for_selector("#trouble")
    yield "take-to-whom"
    page.fill("#recipient", "Universidad de Panamá, Facultad de Humanidades")
    page.click("main button.next")
    page.wait_for_selector("text=Cómo se protegió")
    yield "take-shared"
    visit(page, node, "/lab/entregas")
    page.click("summary")
    yield "transfers"


@walk("/municipio", "/municipio/{code}", "/publico", "/publico/{form_id}")
def giving_back(page: Page, world: World) -> Iterator[str]:
    node = world.central
    visit(page, node, "/publico")
    yield "public-none"
    _give_back(node)
    for name, path in {
        "municipalities": "/municipio", "municipality": "/municipio/0810", "municipality-none": "/municipio/0911",
        "public-forms": "/publico", "public-form": "/publico/confianza", "public-form-few": "/publico/hogar",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    visit(page, node, "/municipio/0810")
    page.fill("#text", " ")
    page.click("#respuesta button")
    page.wait_for_selector(".banner.act")
    yield "municipality-no-reply"
    page.fill("#text", "Reparar el alumbrado de la calle 5, en marzo")
    page.click("#respuesta button")
    page.wait_for_selector("#respuesta li")
    yield "municipality-reply"


def _give_back(node: Node) -> None:
    """Let enough people answer in two municipalities, and two forms have a page for everybody."""
    usual: Any = submission()["answers"]
    _put(node, *(
        submission(answers=usual | {"lugar/municipio": place, "escucha": "algo" if number % 3 else "poco"})
        for place in ("0810", "0808")
        for number in range(30)
    ))  # fmt: skip
    with writing(node.app.state.engine) as session:
        for form in ("confianza", "hogar"):
            put_plan(session, form, Plan(is_public=True, public=("edad", "escucha")), now_ms())


@walk("/lab/al-dia", "/lab/llegadas", "/lab/cuotas/{form_id}", "/lab/calidad")
def watching(page: Page, world: World) -> Iterator[str]:
    _watch(world.central)
    for name, path in {
        "board": "/lab/al-dia", "board-shared": "/lab/al-dia?compartir=1", "board-form": "/lab/al-dia?form=tarjeta",
        "arrivals": "/lab/llegadas", "quotas": "/lab/cuotas/tarjeta", "quotas-none": "/lab/cuotas/confianza",
        "quality": "/lab/calidad", "quality-none": "/lab/calidad?tipo=far",
    }.items():  # fmt: skip
        visit(page, world.central, path)
        yield name


def _watch(node: Node) -> None:
    """Let a form be asked every week, and four municipalities be silent for longer and longer."""
    quotas = (Quota("tema", "agua", 50), Quota("tema", "servicios", 2))
    plan = Plan(frequency_days=7, municipalities=("04", "0810"), quotas=quotas, expected={"0401": 10, "0810": 1})
    with writing(node.app.state.engine) as session:
        put_plan(session, "tarjeta", plan, now_ms())
        for days, place in ((8, "0401"), (15, "0402"), (22, "0403"), (200, "0911")):
            at_ms = now_ms() - days * 86_400_000
            for _ in range(6):
                answers = ANSWERED | {"lugar/municipio": place, "relato": "No llega el agua desde enero."}
                times = {"started": iso(at_ms), "finished": iso(at_ms)}
                content = submission("tarjeta", answers=answers, **times)
                read = read_record(canonical_bytes(content))
                arrival = Arrival(read.id, read.sha256, read.body, read.kind, read.form, read.version, read.why)
                ingest(session, [arrival._replace(device_ms=at_ms)], at_ms)


@walk(
    "/lab/cuarentena", "/lab/cuarentena/{record_id}", "/lab/cuarentena/resueltos", "/lab/borrados",
    "/lab/records/{record_id}/borrar", "/lab/equipos", "/lab/equipos/{node_id}", "/lab/equipos/{node_id}/baja",
    "/lab/equipos/codigo",
)  # fmt: skip
def repair_and_fleet(page: Page, world: World) -> Iterator[str]:
    node = world.central
    for name, path in {
        "quarantine": "/lab/cuarentena", "quarantine-entry": f"/lab/cuarentena/{world.conflict}",
        "quarantine-resolved": "/lab/cuarentena/resueltos", "erasures": "/lab/borrados",
        "erase": f"/lab/records/{world.record}/borrar", "fleet": "/lab/equipos",
        "fleet-node": f"/lab/equipos/{world.tablet_id}", "fleet-revoke": f"/lab/equipos/{world.tablet_id}/baja",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    visit(page, node, "/lab/equipos")
    page.click("form[action='/lab/equipos/codigo'] button")
    yield "fleet-code"


@walk(
    "/lab/revisar", "/lab/revisar/{form_id}", "/lab/records/{record_id}/corregir", "/lab/avisos",
    "/lab/avisos/{record_id}", "/lab/avisos/{record_id}/corregir", "/equipo/avisos", "/equipo/avisos/{record_id}",
    "/equipo/avisos/{record_id}/corregir",
)  # fmt: skip
def reviewing(page: Page, world: World) -> Iterator[str]:
    node, record = world.central, world.record
    visit(page, node, "/equipo/avisos")
    yield "returned-empty"
    visit(page, node, "/lab/revisar")
    yield "review-forms"
    visit(page, node, "/lab/revisar/confianza")
    page.check("[name=all]")
    page.click("#bulk [value=approve]")
    yield "review-confirm"
    visit(page, node, f"/lab/revisar/confianza?record={record}")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    yield "review-record"
    page.click("#one [value=has_issues]")
    page.wait_for_selector("[role=alert]")
    yield "review-refused"
    page.fill("#comment", "¿Vive en San Miguelito?")
    page.click("#one [value=has_issues]")
    page.wait_for_selector(".banner.done")
    yield "review-done"
    visit(page, node, "/lab/revisar/confianza?state=answered")
    yield "review-empty"
    for home in ("/lab/avisos", "/equipo/avisos"):
        visit(page, node, home)
        yield f"returned{home.replace('/', '-')}"
        visit(page, node, f"{home}/{record}")
        yield f"returned-one{home.replace('/', '-')}"
        visit(page, node, f"{home}/{record}/corregir")
        yield f"correct{home.replace('/', '-')}"
    visit(page, node, f"/lab/records/{record}/corregir")
    page.locator("[name=edad]:not(:checked)").first.check(force=True)
    while page.is_visible("button[value=next]"):
        page.click("button[value=next] >> visible=true")
    page.click("button[value=send] >> visible=true")
    page.wait_for_selector("#why")
    yield "correct-why"


# "tarjeta" without the person's place and story, and "servicios" in place of a choice: answered by others before
LESS = (
    "| survey |\n| | type | name | label |\n| | select_one t | tema | ¿Qué tema? |\n"
    "| | text | nombre | ¿Qué nombre? |\n"
    "| choices |\n| | list_name | name | label |\n| | t | agua | Agua |\n| | t | luz | Luz |\n"
    "| settings |\n| | form_id | version | form_title |\n| | tarjeta | 2999 | Tarjeta |\n"
)


@walk("/lab/publicar/{token}", "/lab/vista/{token}")
def publishing(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/lab/publicar")
    page.set_input_files(
        "[type=file] >> nth=0", {"name": "tarjeta.md", "mimeType": "text/markdown", "buffer": LESS.encode()}
    )
    page.click("main form button[value=publish]")
    page.wait_for_selector("#cambios")
    yield "publish-impact"
    page.click("a[href^='/lab/vista/']")
    yield "preview"
    page.click("button[value=next] >> visible=true")
    yield "preview-second"
    page.click("a[href^='/lab/publicar/']")
    page.wait_for_url("**/lab/publicar/*")
    yield "publish-draft"
    page.click("main form button[value=drop]")


@walk(
    "/lab/formularios", "/lab/formularios/{form_id}", "/lab/formularios/{form_id}/plan",
    "/lab/formularios/{form_id}/diferencia", "/lab/formularios/{form_id}/idiomas", "/lab/formularios/{form_id}/voces",
    "/f/{form_id}/current/cerrada",
)  # fmt: skip
def forms_of_the_lab(page: Page, world: World) -> Iterator[str]:
    node = world.central
    for name, path in {
        "forms": "/lab/formularios", "form-kept": "/lab/formularios/confianza",
        "form-plan": "/lab/formularios/confianza/plan", "form-difference": "/lab/formularios/confianza/diferencia",
        "form-languages": "/lab/formularios/tarjeta/idiomas", "form-voices": "/lab/formularios/tarjeta/voces",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    visit(page, node, "/lab/formularios/confianza/plan")
    page.fill("#frequency", "cada mes")
    for summary in page.locator("summary").all()[:3]:
        summary.click()
    page.click("main form button.next")
    page.wait_for_selector(".banner.act")
    yield "form-plan-wrong"
    visit(page, node, "/lab/formularios/permiso")
    page.click("form[action$='/cerrar'] button")
    page.wait_for_selector("form[action$='/abrir']")
    yield "form-kept-closed"
    visit(page, node, "/f/permiso/current/cerrada")
    yield "survey-closed"
    visit(page, node, "/lab/formularios/permiso")
    page.click("form[action$='/abrir'] button")
    page.wait_for_selector("form[action$='/cerrar']")


@walk("/equipo/voces/{form_id}")
def voices(page: Page, world: World) -> Iterator[str]:
    visit(page, world.central, "/equipo/voces/tarjeta?lengua=gym")
    yield "voices"
    page.locator("button[value=keep]").first.click()
    yield "voices-missing"
    page.locator("[type=file]").first.set_input_files({"name": "v.wav", "mimeType": "audio/wav", "buffer": beep()})
    page.locator("button[value=keep]").first.click()
    yield "voices-one"


@walk(
    "/sala", "/sala/nueva", "/sala/{session}", "/sala/{session}/puesto/{seat}", "/sala/{session}/notas",
    "/sala/{session}/cerrar", "/sala/{session}/tablero", "/sala/{session}/tablero/{name}",
    "/sala/{session}/mesa/{name}", "/sala/{session}/tarjetas", "/sala/{session}/fotos",
)  # fmt: skip
def rooms_of_facilitators(page: Page, world: World) -> Iterator[str]:
    node = world.central
    full, small = open_full_room(node, place="Soná"), open_small_room(node)
    put(node, make_contribution(small, "statement", {"text": "Falta agua"}, HOST, 2, seat="P1", step="cuidado"))
    for name, path in {
        "rooms": "/sala", "room-guides": "/sala/nueva", "room-new": "/sala/nueva?guia=municipal",
        "room-run": f"/sala/{small}", "room-full": f"/sala/{full}", "room-seat": f"/sala/{full}/puesto/P1",
        "room-notes": f"/sala/{full}/notas", "room-close": f"/sala/{full}/cerrar",
        "wall-join": f"/sala/{small}/tablero", "room-cards": f"/sala/{small}/tarjetas",
        "room-photos": f"/sala/{small}/fotos",
        **{f"desk-{step.name}": f"/sala/{full}/mesa/{step.name}" for step in STEPS},
        **{f"wall-{step.name}": f"/sala/{full}/tablero/{step.name}" for step in STEPS},
    }.items():  # fmt: skip
        visit(page, node, path)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        yield name
    visit(page, node, f"/sala/{small}")
    page.click("#open-2")
    page.wait_for_selector(".step.open")
    yield "room-open"
    visit(page, node, f"/sala/{small}/tablero")
    yield "wall-blind"


@walk("/sala/guias", "/sala/traer", "/sala/{session}/llevar")
def rooms_and_guides_that_are_brought(page: Page, world: World) -> Iterator[str]:
    node = world.central
    room = open_small_room(node, district="0911", place="Casa comunal")
    visit(page, node, f"/sala/{room}/llevar")
    yield "room-take-along"
    visit(page, node, "/sala")
    page.set_input_files("#file", {"name": "carta.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    page.get_by_role("button", name="Traer la sala").click()
    page.wait_for_selector("#trouble")
    yield "room-wrong-file"
    visit(page, node, "/sala/guias")
    yield "own-guides"
    wrong = b"| survey |\n| | type | name | label |\n| | baile | x | X |\n"
    page.set_input_files("#file", {"name": "guia.md", "mimeType": "text/markdown", "buffer": wrong})
    page.get_by_role("button", name="Subir y revisar").click()
    page.wait_for_selector("#trouble")
    yield "own-guide-errors"


def _people_room(node: Node, *names: str) -> PeopleRoom:
    """Open a room with something said in it, and these of its steps."""
    room = PeopleRoom(node, *EVERY_TYPE, place="Soná", round=1)
    for text in ("El agua llega todos los días.", "La basura se recoge a tiempo."):
        room.statement("frases", text)
        room.say("iceberg", {"text": text, "level": "event"}, step="hielo")
    room.open(*names)
    return room


def _come_in(page: Page, node: Node, room: PeopleRoom) -> None:
    visit(page, node, f"/s/{room.code}")
    page.check("#participate", force=True)
    page.click("main .btn.next")
    page.wait_for_url("**/ahora")


@walk(
    "/sala/{session}/salidas", "/sala/{session}/salidas/{name}",
    "/lab/salas", "/lab/salas/{session}", "/lab/salas/{session}/{name}", "/lab/salas/{session}/temas", "/lab/temas",
    "/lab/temas.html", "/lab/temas/celda", "/lab/temas/libro", "/lab/forms/{form_id}/temas",
)  # fmt: skip
def room_outputs(page: Page, world: World) -> Iterator[str]:
    node = world.central
    room = open_full_room(node, place="Soná")
    for name, path in {
        "room-outputs": f"/sala/{room}/salidas", "room-report": f"/sala/{room}/salidas/informe.html",
        "lab-rooms": "/lab/salas", "lab-room": f"/lab/salas/{room}",
        "lab-room-minutes": f"/lab/salas/{room}/acta.html", "room-codes": f"/lab/salas/{room}/temas",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    page.locator("input[name=path]").first.fill("///")
    page.locator("section form:last-of-type .btn").first.click()
    yield "room-codes-wrong"
    page.locator("input[name=path]").first.fill("confianza/vecinos")
    page.locator("section form:last-of-type .btn").first.click()
    page.wait_for_selector(".chip[name=path]")
    yield "room-codes-put"
    for name, path in {
        "themes": "/lab/temas", "themes-handed-out": "/lab/temas.html", "book-of-themes": "/lab/temas/libro",
        "themes-of-answers": "/lab/forms/tarjeta/temas",
    }.items():  # fmt: skip
        visit(page, node, path)
        yield name
    visit(page, node, "/lab/temas")
    page.locator("main td a").first.click()
    page.wait_for_url("**/celda*")
    yield "themes-of-a-cell"


@walk("/app/sala")
def session_without_a_node(page: Page, world: World) -> Iterator[str]:
    """Its states stand in test_room_take.py, which asks axe about each."""
    visit(page, world.central, "/app/sala")
    page.wait_for_selector("text=Esta tableta está lista sin señal")
    yield "room-taken-along"
    page.click("[href='#nueva'] >> nth=0")
    page.wait_for_selector("text=Usar esta guía")
    yield "room-taken-along-guides"


@walk("/s", "/s/{code}", "/s/{code}/ahora")
def room_people(page: Page, world: World) -> Iterator[str]:
    node, room = world.tablet, _people_room(world.tablet)
    visit(page, node, "/s")
    yield "room-code"
    visit(page, node, "/s/bbbbb")
    yield "room-code-unknown"
    visit(page, node, f"/s/{room.code}")
    yield "room-join"
    page.click("main .btn.next")
    yield "room-join-refused"
    _come_in(page, node, room)
    yield "room-waiting"
    for step in EVERY_TYPE:
        room.step(step.name)
        visit(page, node, f"/s/{room.code}/ahora?paso={step.name}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        yield f"room-{step.type}"
        if step.type == "dyad":
            page.click(".give .next")
            page.wait_for_selector("#trouble")
            yield "room-refused"
            page.click(".scale .opt >> nth=3")
            page.click(".give .next")
            page.wait_for_selector("#thanks")
            yield "room-thanks"
        room.step(step.name, "revealed" if step.type == "dots" else "locked")
    visit(page, node, f"/s/{room.code}/ahora")
    yield "room-locked"
    room.say("close", {"summary": "", "read_back": True})
    visit(page, node, f"/s/{room.code}/ahora")
    yield "room-over"


@walk("/s/{code}/pasar", "/sala/{session}/papel/{name}")
def room_tablet(page: Page, world: World) -> Iterator[str]:
    node, room = world.tablet, _people_room(world.tablet, *(step.name for step in EVERY_TYPE))
    for step in EVERY_TYPE:
        visit(page, node, f"/sala/{room.id}/papel/{step.name}")
        yield f"papers-{step.type}"
    visit(page, node, f"/sala/{room.id}/papel/frases")
    page.click("main .btn.next")
    page.wait_for_selector("#trouble")
    yield "papers-refused"
    page.fill("input.field >> nth=0", "12")
    page.click("main .btn.next")
    page.wait_for_selector("#thanks")
    yield "papers-kept"
    visit(page, node, f"/s/{room.code}/pasar")
    yield "room-pass-start"
    page.click("main .btn.next")
    yield "room-pass-between"
    page.click("main .btn.next")
    yield "room-pass-turn"
