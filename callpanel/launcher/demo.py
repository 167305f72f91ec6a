"""./run: everything on this machine, until Ctrl-C."""

import http.client
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from callpanel.launcher.data import data_directory, free_port, sole_use
from callpanel.launcher.processes import (
    PROJECT,
    Child,
    LaunchError,
    dying_with_parent,
    spawn,
    stopped_at_end,
    wait_until,
    watch,
)
from callpanel.launcher.servers import Running, servers

HOST = "127.0.0.1"
WEB = ("--workers=2", "--preload", "--no-control-socket")
QUIET = "--loglevel=WARNING"
# There is one worker: what several tell each other only makes the start slower.
WORKER = ("--concurrency=2", "--without-gossip", "--without-mingle", QUIET)


def demo() -> int:
    """Runs until a signal ends it. Raises LaunchError when one of the processes ends by itself.

    None is started again: the data survive, and a demo that mends itself would hide the fault.
    """
    data = data_directory()
    with sole_use(data) as lock:
        say("starting the servers")
        with servers(data) as running:
            port = free_port(*range(8000, 8100))
            sign_ins = prepare(running, port)
            apps = start_apps(data, running.env, port)
            with stopped_at_end(*apps):
                wait_until(lambda: answers(port), apps[0])
                print(f"http://{HOST}:{port}/", file=lock, flush=True)
                announce(data, port, sign_ins)
                try:
                    watch([*running.children.values(), *apps])
                except KeyboardInterrupt:
                    print()
                    say("stopping")
                    return 0


def say(text: str) -> None:
    print(f"callpanel: {text}", flush=True)


def prepare(running: Running, port: int) -> str:
    """Migrates and so on; returns who can sign in. Only a database of ours gets sample calls."""
    ours = [f"http://{HOST}:{port}"] if "DATABASE_URL" in running.children else []
    loaded = not ours or Path(running.env["CALLPANEL_DEMO_LOGINS"]).exists()
    say(f"preparing the database{'' if loaded else ' with a year of sample calls (a minute)'}")
    done = subprocess.run(
        [sys.executable, "-m", "callpanel.launcher.prepare", *ours],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=running.env,
        start_new_session=True,
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )
    if done.returncode:
        raise LaunchError("The database could not be prepared; the reason is above.")
    return done.stdout


def start_apps(data: Path, env: Mapping[str, str], port: int) -> list[Child]:
    """web, worker, beat. As root they stay root, on this machine alone, and Celery need not warn."""
    env = {"PUBLIC_URL": f"http://{HOST}:{port}", **env}
    env["PYTHONWARNINGS"] = "ignore::UserWarning:celery.platforms"
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app=callpanel"]
    commands = {
        "web": [*python, "gunicorn", "callpanel.wsgi", f"--bind={HOST}:{port}", *WEB],
        # However much there is to fold, pages come first.
        "worker": ["nice", *celery, "worker", *WORKER],
        "beat": [*celery, "beat", f"--schedule={data / 'beat-schedule'}", QUIET],
    }
    return [
        spawn(name, command, log=data / "logs" / f"{name}.log", env=env)
        for name, command in commands.items()
    ]


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def announce(data: Path, port: int, sign_ins: str) -> None:
    say(f"ready at http://{HOST}:{port}/")
    print(f"\n{sign_ins}\nData and logs: {data}\nStop: Ctrl-C", flush=True)
