"""What alerts are told to, a real server, and the sensor that tells them, tick by tick."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dagster as dg

from snap_pipeline.definitions import build_definitions
from snap_pipeline_tests.project import Project

OTHER_PIXEL = "99999999-2222-4333-8444-555555555555"
PATH = "/services/T000/B000/nobody-may-see-this"
EMAIL = "ada.lovelace@example.com"


class Channel:
    """What a webhook's server got, and how it answers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.statuses: list[int] = []
        self.attempts = 0
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.attempts += 1
                status = channel.statuses.pop(0) if channel.statuses else 200
                if status == 200:
                    channel.lines.append(json.loads(body)["text"])
                    assert self.path == PATH
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}{PATH}"

    def take(self) -> list[str]:
        """The lines since the last look."""
        lines, self.lines = self.lines, []
        return lines


class Watch:
    """The sensor's daemon: a tick at a time, with the cursor in between."""

    def __init__(self, project: Project) -> None:
        self.project, self.cursor = project, None
        self.said = ""
        self.tick()

    def tick(self) -> str:
        definitions = build_definitions(self.project.settings)
        context = dg.build_sensor_context(instance=self.project.instance, cursor=self.cursor, definitions=definitions)
        data = definitions.resolve_sensor_def("alerts").evaluate_tick(context)
        self.cursor, self.said = data.cursor, data.skip_message or ""
        return self.said
