"""Tell the workers that records wait. Only a nudge: a sweep finds them by itself."""

import logging
import threading

from kombu.exceptions import OperationalError

from calls import tasks

logger = logging.getLogger("callpanel.ingest")

# One message for all records of so many seconds. It also keeps a slow broker out of the PBX's way: the record is
# acknowledged before anybody speaks to it.
GATHER = 0.05
_waiting = threading.Lock()


def fold_soon() -> None:
    if _waiting.acquire(blocking=False):
        threading.Timer(GATHER, _nudge).start()


def _nudge() -> None:
    # Released first: a record that is stored from here on needs a message of its own.
    _waiting.release()
    try:
        tasks.fold_inbox.apply_async(retry=False)
    except OperationalError:
        logger.warning("the broker is away; the sweep will fold the records")
