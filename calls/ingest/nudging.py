"""Tell the workers that there is work. Only a nudge: sweeps find it by themselves."""

import logging
import threading

from celery import Task
from kombu.exceptions import OperationalError

from calls import tasks

logger = logging.getLogger("callpanel.ingest")

# One message for all records of so many seconds. It also keeps a slow broker out of the PBX's way: the record is
# acknowledged before anybody speaks to it.
GATHER = 0.05
_waiting = threading.Lock()


def fold_soon() -> None:
    """Records wait in the inbox."""
    if _waiting.acquire(blocking=False):
        threading.Timer(GATHER, _fold).start()


def _fold() -> None:
    # Released first: a record that is stored from here on needs a message of its own.
    _waiting.release()
    _soon(tasks.fold_inbox)


def bring_in_soon() -> None:
    """A call may have found its owner."""
    _soon(tasks.bring_in_assigned)


def carry_out_soon() -> None:
    """A decision on refused records was taken."""
    _soon(tasks.carry_out_decisions)


def _soon(task: "Task[[], None]") -> None:
    try:
        task.apply_async(retry=False)
    except OperationalError:
        logger.warning("the broker is away; the sweep will do %s", task.name)
