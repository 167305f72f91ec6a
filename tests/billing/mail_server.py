"""A real, small mail server on this machine: it takes what comes, or says no."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from typing import cast


class MailServer(socketserver.ThreadingTCPServer):
    """``received``: the messages it took; ``answer``: what it says to a message's end."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Talk)
        self.received: list[EmailMessage] = []
        self.answer = "250 taken"

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("220 here")
        for line in self.rfile:
            command = line[:4].upper().strip()
            if command == b"DATA":
                self.say("354 go on")
                self.take()
            else:
                self.say("221 bye" if command == b"QUIT" else "250 well")

    def take(self) -> None:
        server = cast(MailServer, self.server)
        lines = iter(self.rfile.readline, b".\r\n")
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        if server.answer.startswith("250"):
            server.received.append(message)
        self.say(server.answer)

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    with MailServer(port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
