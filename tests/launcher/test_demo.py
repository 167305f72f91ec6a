"""The whole of ./run, with servers that are given to it, so that it loads no sample calls."""

import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from callpanel.launcher.servers import Running

DEMO = """
import sys
from pathlib import Path
from callpanel.launcher import __main__ as launcher, demo

demo.data_directory = lambda: Path(sys.argv[1])
sys.exit(launcher.main("demo", []))
"""


@pytest.fixture
def demo(data: Path, running: Running) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", DEMO, str(data)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=running.env, stdout=pipe, stderr=pipe, text=True) as process:
        yield process
        process.terminate()


def lines_until(start: str, process: subprocess.Popen[str]) -> list[str]:
    lines = []
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))
        if line.startswith(start):
            break
    return lines


def test_it_answers_where_it_says_and_stops_on_ctrl_c(
    data: Path, demo: subprocess.Popen[str]
) -> None:
    *_, ready = lines_until("callpanel: ready at ", demo)
    connection = http.client.HTTPConnection(urlsplit(ready.split()[-1]).netloc, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    assert lines_until("Stop", demo) == ["", "", f"Data and logs: {data}", "Stop: Ctrl-C"]
    demo.send_signal(signal.SIGINT)
    assert demo.communicate() == ("\ncallpanel: stopping\n", "")
    assert demo.returncode == 0
