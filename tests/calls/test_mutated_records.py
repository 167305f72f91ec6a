"""Damaged records of every kind, in batches with sound ones: no error, none lost, no other harmed.

The long form is benchmarks/mutations.py.
"""

import pytest
from django.test import Client

from calls import tasks
from calls.models import InboxRecord
from tests.mutants import ACCOUNTED, Storm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recorded_time")]


def test_each_of_hundreds_of_damaged_records_is_accounted_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.fold_inbox, "apply_async", lambda **options: None)
    client.raise_request_exception = False
    storm = Storm(seed=20261123)

    while storm.damaged < 500:
        storm.send(client)
    found = storm.accounts()

    assert set(found["statuses"]) <= {200, 400, 409, 413}
    assert found["rows"] == found["stored"] > 500
    assert set(found["states"]) <= ACCOUNTED
    assert found["harmed"] == []
    assert found["sound"] > 100
    assert not InboxRecord.objects.filter(reason="error").exists()
