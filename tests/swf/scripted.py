"""A client that answers as it is told, and a clock that moves only when somebody waits."""

from __future__ import annotations

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection

URL = 'https://swf.us-east-1.amazonaws.com'


def refusal(code, status=400, message='no'):
    response = {'Error': {'Code': code, 'Message': message}, 'ResponseMetadata': {'HTTPStatusCode': status}}
    return ClientError(response, 'Operation')


def unreachable():
    return EndpointConnectionError(endpoint_url=URL)


def silent():
    return ReadTimeoutError(endpoint_url=URL)


def unconnected():
    return ConnectTimeoutError(endpoint_url=URL)


class Scripted:
    """A SWF client: each call takes the next answer of the script, and raises it if it is an exception."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = []

    def __getattr__(self, name):
        def call(**request):
            self.calls.append((name, request))
            answer = self.script.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


class Waiting:
    """Seconds that pass only in pauses; ``stops_after`` pauses the program is about to stop."""

    def __init__(self, stops_after=None):
        self.now = 1000.0
        self.pauses = []
        self.stops_after = stops_after

    def clock(self):
        return self.now

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds
        return self.stops_after is not None and len(self.pauses) >= self.stops_after


def service(client, waiting=None, **options):
    waiting = waiting or Waiting()
    options = {'chance': lambda: 1.0, **options}
    return RetryingClient(Connection(client, 'the service'), pause=waiting.pause, clock=waiting.clock, **options)
