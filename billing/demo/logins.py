"""What one needs to try the demo: who may sign in, and the PBX's secret, kept in a file of the user's own."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.urls import reverse

DEFAULT_PATH = ".data/demo-logins.json"
ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Logins:
    people: tuple[Login, ...]
    pbx: str
    secret: str

    @classmethod
    def kept(cls) -> "Logins | None":
        """What the last load_demo kept; None without one."""
        if not path().exists():
            return None
        data = json.loads(path().read_text(encoding="utf-8"))
        people = tuple(Login(**login) for login in data["people"])
        return cls(people, data["pbx"], data["secret"])

    def keep(self) -> None:
        """Write the file for its owner's eyes alone, whatever an older one allowed."""
        path().parent.mkdir(parents=True, exist_ok=True)
        path().unlink(missing_ok=True)
        file = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(file, "w", encoding="utf-8") as stream:
            json.dump(asdict(self), stream, ensure_ascii=False, indent=2)

    def lines(self, address: str) -> Iterator[str]:
        """The same for a person at the terminal; ``address`` is where the panel is."""
        width = max(len(login.role) for login in self.people)
        for login in self.people:
            yield f"  {login.role:{width}}  {login.email}  {login.password}"
        receiver = address.rstrip("/") + reverse("receive-record", args=[self.pbx])
        yield "A FreeSWITCH sends its records to it like this:"
        yield f"  curl -u {self.pbx}:{self.secret} --data-binary @record.json {receiver}"


def path() -> Path:
    """CALLPANEL_DEMO_LOGINS, else a file beside the data of ./run."""
    return Path(settings.BASE_DIR, os.environ.get("CALLPANEL_DEMO_LOGINS") or DEFAULT_PATH)
