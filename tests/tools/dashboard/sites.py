"""Dashboards of a service whose clock stands still, and the client that looks at them."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser

import httpx

from genflow.tools.dashboard.app import application
from genflow.tools.dashboard.data.source import Source
from genflow.tools.dashboard.security import Policy
from genflow.tools.dashboard.site import Site
from tests.insight.breaking import DOMAIN

ADDRESS = 'http://127.0.0.1:4568'


def source_of(env, **more):
    more.setdefault('pace', 0)
    return Source(env.swf, 'a service', DOMAIN, '--endpoint http://swf', clock=lambda: env.now, **more)


def client_of(env, policy=None, spec=None, **more):
    site = Site(source_of(env, **more), policy or Policy(may_write=True), spec, spec is not None)
    return Client(application(site))


class Client:
    """Asks an application without a network; cookies are kept, redirects are not followed."""

    def __init__(self, app):
        self.app = app
        self.cookies = httpx.Cookies()

    def get(self, address, **more):
        return self.request('GET', address, **more)

    def post(self, address, data, **more):
        return self.request('POST', address, data=data, **more)

    def request(self, method, address, **more):
        return asyncio.run(self._request(method, address, more))

    async def _request(self, method, address, more):
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=self.cookies) as client:
            answer = await client.request(method, address, **more)
            self.cookies = client.cookies
            return answer


class Page(HTMLParser):
    """What a page says: its text, links and forms."""

    def __init__(self, html):
        super().__init__()
        self.text = ''
        self.links = {}
        self.ids = set()
        self.fields = []
        self.posted = []
        self._posts = False
        self._href = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.add(found.get('id'))
        if tag == 'a':
            self._href = found.get('href')
        if tag == 'form':
            self._posts = found.get('method') == 'post'
        if tag in ('input', 'textarea', 'button', 'select') and 'name' in found:
            (self.posted if self._posts else self.fields).append((found['name'], found.get('value')))

    def handle_data(self, data):
        self.text += data
        if self._href is not None and data.strip():
            self.links.setdefault(data.strip(), self._href)

    def handle_endtag(self, tag):
        if tag == 'a':
            self._href = None


def page_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)
