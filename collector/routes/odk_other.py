"""What no other module of ODK's addresses answers: told as its clients read it, and not as a page."""

from fastapi import APIRouter, Response

from collector.odk_problems import OdkError
from collector.routes.odk_common import OdkRoute

router = APIRouter(prefix="/v1", include_in_schema=False, route_class=OdkRoute)


@router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> Response:
    """Say that there is nothing."""
    raise OdkError("not_found")
