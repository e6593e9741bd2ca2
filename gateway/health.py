# SPDX-License-Identifier: MIT
"""Whether this process lives, and whether it can commit. A word each, on the public port."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.doorbell import Doorbell
from gateway.house import current_house
from tracker.database import can_commit

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
def live() -> Response:
    """``200 live`` while the process answers."""
    return Response("live\n", mimetype="text/plain")


@blueprint.get("/ready")
def ready() -> Response:
    """``200 ready`` when a commit succeeds, ``200 degraded`` without Redis, else ``503 down``."""
    house = current_house()
    if not can_commit(house.engine):
        return Response("down\n", status=503, mimetype="text/plain")
    word = "ready" if Doorbell(house.settings.redis_url).works() else "degraded"
    return Response(f"{word}\n", mimetype="text/plain")
