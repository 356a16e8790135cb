"""The feed on its way down: erasures, and decisions on quarantine, that were made above or elsewhere.

They pass through the same ingest as everything, so that they take effect here; how far the feed was read is noted in
the same transaction. Asking from there is the word that all before it is applied.
"""

import json
from collections.abc import Sequence
from typing import Any

from collector.db import writing
from collector.queries import nodes
from collector.queries.feed import FeedEntry
from collector.queries.records import Arrival, ingest
from sync import limits
from sync.batches import cut_record, is_name, is_number, read_body_line, split_lines
from sync.client import Refusal
from sync.greet import Greeting
from sync.run import Known, Run
from sync.statements import arrival_of

MOST_PAGES = 20  # in one exchange: the rest comes with the next one


def feed_lines(epoch: str, me: str, entries: Sequence[FeedEntry], after: int, top: int) -> str:
    """Return a page of the feed as it travels: a first line, and a line an entry."""
    following = entries[-1].n if entries else after
    first = json.dumps({"epoch": epoch, "next": following, "more": following < top}, separators=(",", ":"))
    lines = [f'{{"n":{entry.n},"origin":"{entry.origin or me}","rec":{entry.body}}}' for entry in entries]
    return "".join(f"{line}\n" for line in (first, *lines))


def pull_feed(run: Run, greeting: Greeting) -> None:
    """Read the feed to its end, unless that is done."""
    for _ in range(MOST_PAGES):
        known = run.known()
        after = known.feed_n if known.feed_epoch == greeting.epoch else 0
        if greeting.feed is None or greeting.feed <= after or run.stopped():
            return
        if not _pull_page(run, known, greeting.epoch, after):
            return


def _pull_page(run: Run, known: Known, epoch: str, after: int) -> bool:
    """Read one page; False when there is no other."""
    try:
        answer = run.client.get_zipped(f"/feed?after={after}&limit={limits.MAX_FEED}&epoch={epoch}")
    except Refusal as refusal:
        if refusal.remote == "epoch_changed":
            return False  # put back since its hello: the next one tells
        raise
    try:
        first, *lines = split_lines(answer.lines, limits.MAX_FEED + 1)
        head = json.loads(first)
        arrivals = [_arrival(line.decode(), at, known.me) for at, line in enumerate(lines, 2)]
        following, more = head["next"], head["more"]
        is_right = head["epoch"] == epoch and is_number(following) and following >= after
    except (KeyError, TypeError, ValueError, RecursionError, IndexError) as error:
        raise run.client.strange("the feed is not a list of ours") from error
    if not is_right:
        raise run.client.strange("the feed is of another epoch")
    with writing(run.engine) as session:
        ingest(session, arrivals, run.now_ms)
        nodes.change_upstream(session, feed_n=following, feed_epoch=epoch)
    run.result.fed += len(arrivals)
    return more is True and following > after


def _arrival(line: str, at: int, me: str) -> Arrival:
    """Return an entry ready to store. Without hops: with the upstream among them it could not be sent back up."""
    keys, record = cut_record(line)
    origin: Any = keys.get("origin")
    if record is None or not is_name(origin):
        raise ValueError(f"line {at} has no record or no origin")
    return arrival_of(read_body_line(record.encode(), at), origin="" if origin == me else origin)
