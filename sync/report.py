"""Reports: what a node says of itself, so that those above can see who lags behind. Sent when it changes.

What comes in is read key by key and bounded before it is kept: it is shown to people, and sent further up.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from collector import __version__
from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import fleet, nodes
from sync import keys
from sync.batches import is_name, is_number
from sync.client import Refusal
from sync.greet import Greeting
from sync.limits import MAX_HOPS, MAX_REPORT_BYTES
from sync.run import Run

EVERY_SECONDS = 600.0
MOST_TEXT = 100
MOST_BELOW = 500
NUMBERS = ("waiting", "quarantine", "free_bytes", "store_bytes", "missing_files")
# what moves all the time and is no news by itself
RESTLESS = ("free_bytes", "store_bytes", "last_contact", "report_ms", "skew_ms")


# --- on the way up


def send_report(run: Run, greeting: Greeting, is_idle: bool) -> None:
    """Tell the upstream how this node stands: when it changed and there is nothing else to send, or every 10 minutes.

    An upstream of an earlier release takes no reports.
    """
    state = run.state
    is_late = time.monotonic() - state.reported_at > EVERY_SECONDS
    if greeting.feed is None or run.stopped() or not (is_idle or is_late):
        return
    report = make_report(run.engine)
    news = _news(report)
    if news == state.reported and not is_late:
        return
    try:
        found = run.client.post("/report", report).content
    except Refusal as refusal:
        if refusal.status not in (404, 413):
            raise
        found = {}  # nothing that matters depends on it
    state.reported, state.reported_at = news, time.monotonic()
    with writing(run.engine) as session:
        keys.note_central_key(session, found.get("central_key") if isinstance(found, dict) else None)


def make_report(engine: Engine) -> dict[str, Any]:
    """Return this node's report, within its limit: what is said of nodes below is shortened first."""
    with reading(engine) as session:
        report = {"version": __version__, **fleet.own_report(session), **_sizes(engine)}
    if _size(report) > MAX_REPORT_BYTES:
        for entry in report["below"]:
            entry["report"] = {key: value for key, value in entry["report"].items() if key not in ("forms", "below")}
    while _size(report) > MAX_REPORT_BYTES and report["below"]:
        report["below"] = report["below"][: len(report["below"]) // 2]
    return report


def _size(report: dict[str, Any]) -> int:
    return len(json.dumps(report, ensure_ascii=False).encode(errors="surrogatepass"))


def _sizes(engine: Engine) -> dict[str, int]:
    """Return the sizes of store and disk where the store is a file of this machine."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return {}
    database = Path(engine.url.database)
    files = (database, database.with_name(f"{database.name}-wal"))
    return {
        "free_bytes": shutil.disk_usage(database.parent).free,
        "store_bytes": sum(file.stat().st_size for file in files if file.exists()),
    }


def _news(report: dict[str, Any]) -> str:
    return json.dumps(_quiet(report), sort_keys=True)


def _quiet(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quiet(item) for key, item in value.items() if key not in RESTLESS}
    return [_quiet(item) for item in value] if isinstance(value, list) else value


# --- on the way in


def receive_report(engine: Engine, peer: str, found: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """Keep what the node `peer` says of itself and return the answer. Raises ProblemError too_large."""
    if (size := _size(found)) > MAX_REPORT_BYTES:
        raise ProblemError(PROBLEMS["too_large"], size=size, limit=MAX_REPORT_BYTES)
    with writing(engine) as session:
        fleet.note_report(session, peer, clean_report(found), now_ms)
        nodes.note_contact(session, peer, now_ms)
        feed = found.get("feed")
        if isinstance(feed, list) and len(feed) == 2 and is_name(feed[0]) and is_number(feed[1]):
            nodes.note_feed(session, peer, feed[0], feed[1])
        return {"central_key": keys.central_key(session)}


def clean_report(found: Any, levels: int = MAX_HOPS) -> dict[str, Any]:
    """Return what is known of a report, each value of its type; what is not is left out."""
    if not isinstance(found, dict):
        return {}
    report: dict[str, Any] = {key: found[key] for key in NUMBERS if is_number(found.get(key))}
    report |= {key: _text(found.get(key)) for key in ("version", "epoch") if found.get(key)}
    if isinstance(found.get("forms"), list):
        report["forms"] = [[_text(part) for part in pair] for pair in found["forms"] if _is_pair(pair)]
        report["forms"] = report["forms"][: fleet.MOST_FORMS]
    if isinstance(found.get("rooms"), list):
        report["rooms"] = [room for room in found["rooms"] if is_name(room)][: fleet.MOST_ROOMS]
    if levels > 0 and isinstance(found.get("below"), list):
        named = (entry for entry in found["below"][:MOST_BELOW] if isinstance(entry, dict) and is_name(entry.get("id")))
        report["below"] = [_clean_entry(entry, levels - 1) for entry in named]
    return report


def _clean_entry(found: dict[str, Any], levels: int) -> dict[str, Any]:
    entry: dict[str, Any] = {key: _text(found.get(key)) for key in ("id", "name", "alarm")}
    entry |= {key: found[key] for key in ("last_contact", "report_ms") if is_number(found.get(key))}
    entry |= {key: found[key] for key in ("revoked", "key") if isinstance(found.get(key), bool)}
    if type(found.get("skew_ms")) is int:
        entry["skew_ms"] = found["skew_ms"]
    ids = found.get("unconfirmed")
    named = filter(is_name, ids if isinstance(ids, list) else ())
    entry["unconfirmed"] = list(named)[: fleet.MOST_UNCONFIRMED]
    entry["report"] = clean_report(found.get("report"), levels)
    return entry


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _text(value: Any) -> str:
    """Return a short text for people; "" for what is none."""
    return value[:MOST_TEXT] if isinstance(value, str) and value.isprintable() else ""
