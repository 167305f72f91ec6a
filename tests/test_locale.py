"""Screen texts: Polish is complete, and what Django reads is what the translation file says."""

import io
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command

POLISH = Path(settings.BASE_DIR) / "locale/pl/LC_MESSAGES"


def messages(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every text with its translations, singular and plural alike."""
    return {several(message.id): several(message.string) for message in catalog if message.id}


def several(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def written() -> Catalog:
    return read_po(io.BytesIO((POLISH / "django.po").read_bytes()), locale="pl")


def test_every_text_has_its_polish_with_all_three_plurals() -> None:
    texts = [(message.id, message.string) for message in written() if message.id]

    assert [id for id, text in texts if not text] == []
    assert [
        id for id, text in texts if isinstance(id, tuple) and len(set(several(text))) != 3
    ] == []
    assert not any(message.fuzzy for message in written() if message.id)


def test_the_compiled_file_is_that_of_the_written_one() -> None:
    compiled = read_mo(io.BytesIO((POLISH / "django.mo").read_bytes()))

    assert messages(compiled) == messages(written())


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs xgettext (apt: gettext)")
def test_every_text_of_the_code_and_the_templates_is_in_the_file(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("accounts", "billing", "calls", "callpanel", "templates", "locale"):
        shutil.copytree(Path(settings.BASE_DIR) / name, project / name)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setattr(settings, "LOCALE_PATHS", [str(project / "locale")])
        call_command("makemessages", locale=["pl"], no_location=True, no_wrap=True, verbosity=0)

    extracted = read_po(io.BytesIO((project / "locale/pl/LC_MESSAGES/django.po").read_bytes()))
    assert set(messages(extracted)) == set(messages(written()))
