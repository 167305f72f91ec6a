"""What a change of the operator's entries starts. A sweep in beat finds the same work by itself."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from calls.ingest.nudging import bring_in_soon
from calls.models import Number, Pbx, TenantCode


@receiver(post_save, sender=Number)
@receiver(post_save, sender=TenantCode)
@receiver(post_save, sender=Pbx)
def bring_in_waiting_calls(
    sender: type[Any], update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    if sender is Pbx and update_fields is not None and "account" not in update_fields:
        return  # Its secret, or what folding itself remembers of it.
    transaction.on_commit(bring_in_soon, robust=True)
