"""A server before the embedded service that counts the calls of a SWF client, refuses some, and holds some back."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

from genflow.local.http.server import HttpServer


class Front:
    """What was called, and what is refused.

    Attributes:
        calls: The operations with their requests, in the order in which they came.
        refusals: By operation, the codes with which its next calls are refused; the last one counts for ever where
            it is alone in a tuple.
        held: The number of a call, from 1, that is not answered before `release` is set.
        arrived: Set when that call has come.
    """

    def __init__(self):
        self.calls = []
        self.refusals = {}
        self.held = 0
        self.arrived, self.release = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def fetched(self):
        """The workflow ids whose histories were read."""
        return [
            request['execution']['workflowId']
            for operation, request in self.calls
            if operation == 'GetWorkflowExecutionHistory'
        ]

    def came(self, operation, request):
        """Notes a call, and gives the code with which it is refused."""
        with self._lock:
            self.calls.append((operation, request))
            number = len(self.calls)
            codes = self.refusals.get(operation, [])
            code = codes[0] if isinstance(codes, tuple) else codes.pop(0) if codes else None
        if number == self.held:
            self.arrived.set()
            self.release.wait(180)
        return code


@contextmanager
def front_of(service):
    """The front of a service, with its address as `url`."""
    front = Front()
    with HttpServer(service) as server:
        handler = type('Handler', (_Handler,), {'front': front, 'behind': server.url})
        with ThreadingHTTPServer(('127.0.0.1', 0), handler) as web:
            web.daemon_threads = True
            front.url = f'http://127.0.0.1:{web.server_port}'
            thread = threading.Thread(target=web.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield front
            finally:
                front.release.set()
                web.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    front = behind = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        operation = self.headers['X-Amz-Target'].rpartition('.')[2]
        code = self.front.came(operation, json.loads(body))
        if code is None:
            headers = {name: self.headers[name] for name in ('X-Amz-Target', 'Content-Type', 'Authorization')}
            with urlopen(Request(self.behind, body, headers)) as answer:  # noqa: S310 - an address of ours
                self._answer(200, answer.read())
        else:
            text = f'User: arn:aws:iam::1:user/a is not authorized: {code}'
            self._answer(400, json.dumps({'__type': f'com.amazon#{code}', 'message': text}).encode())

    def _answer(self, status, body):
        try:
            self.send_response(status)
            self.send_header('Content-Type', 'application/x-amz-json-1.0')
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client is gone, which some tests want

    def log_message(self, *arguments):
        """Nothing is logged."""
