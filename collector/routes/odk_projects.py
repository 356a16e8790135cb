"""Who works with ODK's clients here: sessions, the one project, devices with a key of their own."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from collector import people
from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.odk_problems import OdkError
from collector.queries import odk
from collector.queries.odk import AppUser
from collector.routes.access import Person, one_line
from collector.routes.odk_common import (
    PROJECT,
    OdkRoute,
    Project,
    asker,
    json_body,
    new_key,
    open_session,
    record_note,
    who_may,
)

router = APIRouter(prefix="/v1", include_in_schema=False, route_class=OdkRoute)
Asker = Annotated[Person, Depends(asker)]
Viewer = Annotated[Person, Depends(who_may("see"))]
Keeper = Annotated[Person, Depends(who_may("fleet"))]
MOST_NAME = 100
NEVER = "9999-12-31T23:59:59.000Z"


@router.post("/sessions")
async def sign_in(request: Request) -> JSONResponse:
    """Give a token for an account's address and password."""
    said = await json_body(request)
    email, password = said.get("email"), said.get("password")
    if not isinstance(email, str) or not isinstance(password, str):
        raise OdkError("missing", field="email, password")
    token = await run_in_threadpool(open_session, request, email, password)
    moment = now_ms()
    ends = iso(moment + people.SESSION_MS)
    return JSONResponse({"token": token, "csrf": new_key(), "createdAt": iso(moment), "expiresAt": ends})


@router.delete("/sessions/{token}")
def sign_out(request: Request, token: str) -> dict[str, bool]:
    """End a session: who has its token may."""
    with writing(request.app.state.engine) as session:
        people.end_session(session, token)
    return {"success": True}


@router.get("/users/current")
def current(request: Request, person: Asker) -> dict[str, Any]:
    """Tell who asks."""
    with writing(request.app.state.engine) as session:
        number = odk.actor_id(session, person.who)
    about = {"id": number, "type": "user", "displayName": person.who, "email": person.who}
    return about | {"createdAt": iso(0), "updatedAt": None, "deletedAt": None}


@router.get("/projects")
def list_projects(request: Request, person: Viewer) -> list[dict[str, Any]]:
    """List the one project: this node."""
    return [_project(request)]


@router.get("/projects/{project_id}")
def show_project(request: Request, project_id: Project, person: Viewer) -> dict[str, Any]:
    """Show the project."""
    return _project(request)


def _project(request: Request) -> dict[str, Any]:
    name = request.app.state.node_name
    nothing = dict.fromkeys(("description", "archived", "keyId", "updatedAt", "deletedAt"))
    return {"id": int(PROJECT), "name": name, "createdAt": iso(0), **nothing}


# --- devices


@router.get("/projects/{project_id}/app-users")
def list_devices(request: Request, project_id: Project, person: Keeper) -> list[dict[str, Any]]:
    """List the devices that may send by a key; a key itself is told once, when it is made."""
    with reading(request.app.state.engine) as session:
        users = odk.app_users(session)
    return [_device(user) for user in users]


@router.post("/projects/{project_id}/app-users")
async def add_device(request: Request, project_id: Project, person: Keeper) -> dict[str, Any]:
    """Let a device send: it gets a key, and then forms."""
    said = await json_body(request)
    name = said.get("displayName")
    if not isinstance(name, str) or not one_line(name, MOST_NAME):
        raise OdkError("missing", field="displayName")
    return await run_in_threadpool(_add_device, request, person, one_line(name, MOST_NAME))


def _add_device(request: Request, person: Person, name: str) -> dict[str, Any]:
    key = new_key()
    record_note(request, person, "token", f"ODK: {name}", format="odk app-user")
    with writing(request.app.state.engine) as session:
        user = odk.add_app_user(session, people.token_hash(key), name, now_ms())
    return _device(user) | {"token": key, "csrf": None, "expiresAt": NEVER}


@router.delete("/projects/{project_id}/app-users/{actor}")
def drop_device(request: Request, project_id: Project, actor: str, person: Keeper) -> dict[str, bool]:
    """Withdraw a device's key."""
    record_note(request, person, "token", f"ODK: {actor}", format="odk app-user withdrawn")
    with writing(request.app.state.engine) as session:
        odk.put_app_user(session, replace(_find(odk.app_users(session), actor), revoked=True))
    return {"success": True}


@router.post("/projects/{project_id}/forms/{form_id}/assignments/{role}/{actor}")
def assign(
    request: Request, project_id: Project, form_id: str, role: str, actor: str, person: Keeper
) -> dict[str, bool]:
    """Let a device send answers to a form. The role is the one there is: to send."""
    _change_forms(request, form_id, actor, True)
    return {"success": True}


@router.delete("/projects/{project_id}/forms/{form_id}/assignments/{role}/{actor}")
def unassign(
    request: Request, project_id: Project, form_id: str, role: str, actor: str, person: Keeper
) -> dict[str, bool]:
    """Take a form from a device."""
    _change_forms(request, form_id, actor, False)
    return {"success": True}


def _change_forms(request: Request, form_id: str, actor: str, is_given: bool) -> None:
    if not request.app.state.forms.versions(form_id):
        raise OdkError("not_found")
    with writing(request.app.state.engine) as session:
        user = _find(odk.app_users(session), actor)
        forms = user.forms | {form_id} if is_given else user.forms - {form_id}
        odk.put_app_user(session, replace(user, forms=forms))


def _find(users: list[AppUser], actor: str) -> AppUser:
    found = next((user for user in users if str(user.id) == actor), None)
    if found is None:
        raise OdkError("not_found")
    return found


def _device(user: AppUser) -> dict[str, Any]:
    about = {"projectId": int(PROJECT), "id": user.id, "type": "field_key", "displayName": user.name}
    token = {"token": None} if user.revoked else {}
    return about | {"createdAt": iso(user.created_ms), "updatedAt": None, "deletedAt": None} | token
