"""Tell the workers that records wait. Only a nudge: a sweep finds them by itself."""

import logging

from kombu.exceptions import OperationalError

from calls import tasks

logger = logging.getLogger("callpanel.ingest")


def fold_soon() -> None:
    try:
        tasks.fold_inbox.apply_async(retry=False)
    except OperationalError:
        logger.warning("the broker is away; the sweep will fold the records")
