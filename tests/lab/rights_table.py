"""Every address of a node and who may use it. A new address without a line here fails tests/lab/test_rights.py.

open         everybody: citizens need nothing, and a page of log-in is for whoever is not in yet
pin          whoever gave the facilitators' PIN
pin or RIGHT  whoever gave the PIN, and people of the lab with that right
node         other nodes, by the token that they enrolled with
token        programs, by a token of any scope; "token records": only of one that reads records
odk          programs that speak as ODK's clients do, whoever they are
odk RIGHT    programs that speak as ODK's clients do: an account's password or a token, with that right
device       phones that speak as ODK's do, by the key in the address
RIGHT        people of the lab, as collector/rights.py says
"""

TABLE = {
    "open": """
        GET /  GET /static/{version}/{path:path}  GET /sw.js  GET /offline  GET /favicon.ico  GET /health
        GET /app  GET /app/sala  GET /app/guias.json  GET /app/lista.json  GET /manifest.webmanifest
        GET /f/{form_id}  GET /f/{form_id}/current  GET /f/{form_id}/current/cerrada
        GET /f/{form_id}/{version}  POST /f/{form_id}/{version}
        GET /f/{form_id}/{version}/form.json  GET /f/{form_id}/{version}/media/{name}
        GET /f/{form_id}/{version}/media/voice/{digest}  GET /r/{record_id}  GET /mis-respuestas
        GET /k/{form_id}  GET /k/{form_id}/current  GET /k/{form_id}/{version}  POST /k/{form_id}/{version}
        GET /k/{form_id}/{version}/media/{name}  GET /e  GET /E/{code}  GET /e/{code}
        GET /codigo  POST /codigo  POST /codigo/borrar  POST /codigo/ver  POST /codigo/descargar
        POST /codigo/corregir/{record_id}  GET /respuesta/{record_id}  GET /pasar  GET /retomar
        GET /s  GET /s/{code}  POST /s/{code}  POST /s/{code}/salir  GET /s/{code}/ahora  POST /s/{code}/ahora
        GET /s/{code}/pasar  POST /s/{code}/pasar  POST /s/{code}/reaccion  POST /s/{code}/envios
        GET /s/{code}/cambios  POST /sala/envios
        PUT /sync/v1/handovers/{handover_id}/{number}  POST /sync/v1/handovers/{handover_id}
        GET /sync/v1/handovers/{handover_id}  GET /sync/v1/handovers/{handover_id}/{number}
        POST /sync/v1/handovers/{handover_id}/taken  POST /sync/v1/enroll  POST /sync/v1/outbox
        POST /sync/v1/receipts/ask  POST /sync/v1/blobs/ask  PATCH /sync/v1/blobs/{sha256}
        POST /sync/v1/trace
        GET /equipo/pin  POST /equipo/pin  POST /equipo/salir  POST /equipo/entregar-tableta
        GET /lab/login  POST /lab/login  GET /lab/login/codigo  POST /lab/login/codigo  POST /lab/logout
        GET /v1/{rest:path}  POST /v1/{rest:path}  PUT /v1/{rest:path}  PATCH /v1/{rest:path}  DELETE /v1/{rest:path}
        GET /publico  GET /publico/{form_id}  GET /api/v1/openapi.json  POST /v1/sessions
        DELETE /v1/sessions/{token}
    """,
    "pin": """
        GET /equipo  POST /equipo/enviar  GET /equipo/estado.json  GET /equipo/qr/{form_id}.svg
        GET /equipo/voces/{form_id}  POST /equipo/voces/{form_id}
        GET /equipo/entregar-tableta
        GET /equipo/cartel/{form_id}  POST /equipo/cartel/{form_id}
        GET /equipo/enlaces/{form_id}  POST /equipo/enlaces/{form_id}  GET /equipo/enlaces/{form_id}/{batch}
        GET /equipo/codigo  POST /equipo/codigo  GET /equipo/inscribir  POST /equipo/inscribir
        GET /equipo/vaciar  POST /equipo/vaciar
        GET /equipo/papel/{form_id}  POST /equipo/papel/{form_id}  GET /equipo/papel/{form_id}/{batch}
        GET /equipo/digitar/{form_id}  POST /equipo/digitar/{form_id}
        GET /equipo/avisos  GET /equipo/avisos/{record_id}  POST /equipo/avisos/{record_id}
        GET /equipo/avisos/{record_id}/corregir  POST /equipo/avisos/{record_id}/corregir
        GET /sala  GET /sala/nueva  POST /sala/nueva  GET /sala/{session}
        GET /sala/{session}/tablero  GET /sala/{session}/tablero/{name}
        GET /sala/{session}/papel/{name}  POST /sala/{session}/papel/{name}
        GET /sala/{session}/llevar  GET /sala/{session}/llevar/{name}.csala  GET /sala/traer  POST /sala/traer
        GET /sala/guias  POST /sala/guias  GET /sala/guias/{key}/archivo  GET /sala/guias/ejemplo/{name}.{ending}
        POST /sala/guias/{key}/quitar
        POST /sala/{session}/paso/{name}  POST /sala/{session}/tiempo/{name}  POST /sala/{session}/presentes
        POST /sala/{session}/puestos  GET /sala/{session}/puesto/{seat}  POST /sala/{session}/puesto/{seat}
        POST /sala/{session}/puesto/{seat}/borrar  POST /sala/{session}/consentimiento  POST /sala/{session}/datos
        POST /sala/{session}/moderar  POST /sala/{session}/deshacer
        GET /sala/{session}/mesa/{name}  POST /sala/{session}/mesa/{name}  GET /sala/{session}/tarjetas
        GET /sala/{session}/fotos  POST /sala/{session}/fotos  GET /sala/{session}/foto/{photo}
        GET /sala/{session}/notas  POST /sala/{session}/notas  POST /sala/{session}/notas/deshacer
        GET /sala/{session}/cerrar  POST /sala/{session}/cerrar
        GET /sala/{session}/salidas  GET /sala/{session}/salidas/{name}
    """,
    "pin or fleet": """
        GET /equipo/paquetes  POST /equipo/paquetes/hacer  POST /equipo/paquetes/traer  POST /equipo/paquetes/recibo
    """,
    "node": """
        PUT /sync/v1/key  GET /sync/v1/hello  POST /sync/v1/batches  GET /sync/v1/receipts  GET /sync/v1/forms
        GET /sync/v1/plans  GET /sync/v1/forms/{form_id}/{version:path}  GET /sync/v1/form-files/{sha256}
        GET /sync/v1/voices/{sha256}  GET /sync/v1/feed POST /sync/v1/report
        POST /sync/v1/proof  GET /sync/v1/rooms  GET /sync/v1/rooms/{room}
    """,
    "self": """
        GET /lab/cuenta  POST /lab/cuenta/clave  GET /lab/cuenta/codigos  POST /lab/cuenta/codigos
        POST /lab/cuenta/codigos/quitar  POST /lab/cuenta/navegadores
    """,
    "people": """
        GET /lab/personas  POST /lab/personas  POST /lab/personas/cambiar
        GET /lab/fichas  POST /lab/fichas  POST /lab/fichas/retirar
    """,
    "audit": "GET /lab/auditoria  GET /lab/auditoria.csv  GET /lab/entregas  GET /lab/entregas.csv",
    "see": """
        GET /lab  GET /lab/forms/{form_id}  GET /lab/forms/{form_id}/contado
        GET /lab/formularios  GET /lab/formularios/{form_id}
        GET /lab/al-dia  GET /lab/al-dia/aviso.txt  GET /lab/al-dia/tablero.csv  GET /lab/al-dia/informes.csv
        GET /lab/formularios/{form_id}/diferencia  GET /lab/formularios/{form_id}/fuente
        GET /lab/formularios/{form_id}/idiomas  GET /lab/forms/{form_id}/textos/{key:path}
        GET /lab/llegadas  GET /lab/cuotas/{form_id}
    """,
    "records": """
        GET /lab/records/{record_id}  GET /lab/records/{record_id}.xml  GET /lab/archivo/{sha256}  GET /lab/calidad
    """,
    "export": """
        GET /lab/forms/{form_id}/export.csv  GET /lab/forms/{form_id}/llevar  POST /lab/forms/{form_id}/llevar
        GET /lab/llevar/{job_id}  GET /lab/llevar/{job_id}/archivo
        GET /lab/forms/{form_id}/diccionario  GET /lab/forms/{form_id}/diccionario.csv
    """,
    "review": """
        GET /lab/revisar  GET /lab/revisar/{form_id}  POST /lab/revisar/{form_id}
        GET /lab/records/{record_id}/corregir  POST /lab/records/{record_id}/corregir
    """,
    "answer": """
        GET /lab/avisos  GET /lab/avisos/{record_id}  POST /lab/avisos/{record_id}
        GET /lab/avisos/{record_id}/corregir  POST /lab/avisos/{record_id}/corregir
    """,
    "repair": """
        GET /lab/cuarentena  GET /lab/cuarentena/resueltos  GET /lab/cuarentena/{record_id}
        POST /lab/cuarentena  POST /lab/cuarentena/{record_id}
    """,
    "erase": "GET /lab/borrados  GET /lab/records/{record_id}/borrar  POST /lab/records/{record_id}/borrar",
    "rooms": """
        GET /lab/salas  GET /lab/salas/{session}  GET /lab/salas/{session}/{name}
        GET /lab/salas/{session}/temas  POST /lab/salas/{session}/temas
        GET /lab/temas  POST /lab/temas  GET /lab/temas/celda  GET /lab/temas.csv  GET /lab/temas.html
        GET /lab/temas/libro  GET /lab/temas/libro.qdc  POST /lab/temas/libro
        GET /lab/forms/{form_id}/temas  POST /lab/forms/{form_id}/temas  GET /lab/forms/{form_id}/temas/{name}
    """,
    "fleet": """
        GET /lab/equipos  GET /lab/equipos/codigo  POST /lab/equipos/codigo  GET /lab/equipos/{node_id}
        POST /lab/equipos/{node_id}/nombre  POST /lab/equipos/{node_id}/municipio
        GET /lab/equipos/{node_id}/baja  POST /lab/equipos/{node_id}/baja  POST /lab/equipos/{node_id}/alarma
    """,
    "publish": """
        GET /lab/publicar  POST /lab/publicar  GET /lab/publicar/{token}  POST /lab/publicar/{token}
        GET /lab/vista/{token}  POST /lab/vista/{token}  GET /lab/vista/{token}/media/{name}
        GET /lab/vista/{token}/media/voice/{digest}  GET /lab/vista/{token}/form.json
        GET /lab/formularios/{form_id}/plan  POST /lab/formularios/{form_id}/plan
        GET /lab/formularios/{form_id}/voces  POST /lab/formularios/{form_id}/voces
        POST /lab/formularios/{form_id}/cerrar  POST /lab/formularios/{form_id}/abrir
    """,
    "municipality": "GET /municipio  GET /municipio/{code}  GET /municipio/{code}.csv",
    "reply": "POST /municipio/{code}",
    "token": """
        GET /api/v1/whoami  GET /api/v1/forms  GET /api/v1/forms/{form_id}  GET /api/v1/forms/{form_id}/questions
        GET /api/v1/forms/{form_id}/{version}/definition  GET /api/v1/forms/{form_id}/counts
    """,
    "device": "GET /v1/key/{key}/projects/{project_id}/submission  POST /v1/key/{key}/projects/{project_id}/submission",
    "odk": "GET /v1/users/current",
    "odk see": """
        GET /v1/projects  GET /v1/projects/{project_id}
        GET /v1/projects/{project_id}/forms  GET /v1/projects/{project_id}/forms/{form_id}
    """,
    "odk fleet": """
        GET /v1/projects/{project_id}/app-users  POST /v1/projects/{project_id}/app-users
        DELETE /v1/projects/{project_id}/app-users/{actor}
        POST /v1/projects/{project_id}/forms/{form_id}/assignments/{role}/{actor}
        DELETE /v1/projects/{project_id}/forms/{form_id}/assignments/{role}/{actor}
    """,
    "odk publish": """
        POST /v1/projects/{project_id}/forms  POST /v1/projects/{project_id}/forms/{form_id}/draft
        POST /v1/projects/{project_id}/forms/{form_id}/draft/attachments/{name}
        POST /v1/projects/{project_id}/forms/{form_id}/draft/publish
    """,
    "odk records": """
        GET /v1/projects/{project_id}/forms/{form_id}/submissions
        GET /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}
        GET /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}.geojson
        GET /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}/comments
        GET /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}/attachments
    """,
    "odk review": """
        POST /v1/projects/{project_id}/forms/{form_id}/submissions
        PUT /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}
        PATCH /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}
        POST /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}/comments
        POST /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}/attachments/{name}
    """,
    "odk erase": """
        DELETE /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}
        POST /v1/projects/{project_id}/forms/{form_id}/submissions/{instance_id}/restore
    """,
    "odk export": """
        GET /v1/projects/{project_id}/forms/{form_id}/submissions.csv
        POST /v1/projects/{project_id}/forms/{form_id}/submissions.csv
        GET /v1/projects/{project_id}/forms/{form_id}/submissions.csv.zip
        POST /v1/projects/{project_id}/forms/{form_id}/submissions.csv.zip
        GET /v1/projects/{project_id}/forms/{form_id}/submissions.geojson
    """,
    "token records": "GET /api/v1/nodes  GET /api/v1/records  GET /api/v1/records/{record_id}",
}


def guards() -> dict[str, str]:
    """Return "METHOD /address" -> its guard. An address that stands twice is a mistake in the table."""
    found: dict[str, str] = {}
    for guard, text in TABLE.items():
        words = text.split()
        for method, path in zip(words[::2], words[1::2], strict=True):
            assert f"{method} {path}" not in found, (method, path)
            found[f"{method} {path}"] = guard
    return found
