"""A webhook server that records alerts, and a driver of the alert sensor, tick by tick."""

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


class WebhookServer:
    """A server that records the lines it gets, and answers with the given statuses."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.statuses: list[int] = []
        self.attempts = 0
        webhook_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook_server.attempts += 1
                status = webhook_server.statuses.pop(0) if webhook_server.statuses else 200
                if status == 200:
                    webhook_server.lines.append(json.loads(body)["text"])
                    assert self.path == PATH
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}{PATH}"

    def take(self) -> list[str]:
        """Return the lines since the last call."""
        lines, self.lines = self.lines, []
        return lines


class AlertSensor:
    """A driver of the sensor: runs one tick at a time, and keeps the cursor."""

    def __init__(self, project: Project) -> None:
        self.project, self.cursor = project, None
        self.message = ""
        self.tick()

    def tick(self) -> str:
        definitions = build_definitions(self.project.settings)
        context = dg.build_sensor_context(instance=self.project.instance, cursor=self.cursor, definitions=definitions)
        data = definitions.resolve_sensor_def("alerts").evaluate_tick(context)
        self.cursor, self.message = data.cursor, data.skip_message or ""
        return self.message
