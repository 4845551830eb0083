"""The dashboard in the system's Chromium: what people see, with and without script, and that nothing is wrong on it."""

from __future__ import annotations

import contextlib
import os
import shutil

import pytest
from botocore.exceptions import EndpointConnectionError

from genflow.core.model.registry import WorkflowSpec
from genflow.local.state.limits import LARGE_PAGES
from genflow.tools.dashboard.security import Policy
from genflow.tools.dashboard.serving import DashboardServer
from genflow.tools.dashboard.site import Site
from tests.insight.breaking import DOMAIN, Approval, Environment, Parent, Plain
from tests.tools.dashboard.sites import source_of

CHROMIUM = os.environ.get('GENFLOW_CHROMIUM') or shutil.which('chromium') or shutil.which('chromium-browser')

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason='there is no chromium; Debian and Ubuntu: apt install chromium'),
]

EVIL = '<script>document.title="broken"</script>"\'><img src=x onerror="document.title=1">\x1b[31m\u202egnp.exe'
WIDTHS = (360, 1280)


@pytest.fixture(scope='module')
def chromium():
    playwright = pytest.importorskip('playwright.sync_api')
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox', '--disable-dev-shm-usage'])
        yield browser
        browser.close()


@pytest.fixture
def env():
    found = Environment(limits=LARGE_PAGES)
    found.begin(Approval, 'waits')
    found.begin(Plain, 'order-1', tagList=['red'])
    found.begin(Parent, 'parent')
    found.decide()
    return found


@contextlib.contextmanager
def served(env, policy=None):
    site = Site(source_of(env), policy or Policy(may_write=True), WorkflowSpec(Approval, 'Approval', '1'), True)
    with DashboardServer(site) as server:
        yield server.url


@contextlib.contextmanager
def opened(chromium, **options):
    """A page, and what went wrong on it; nothing may have, unless a test takes it away."""
    context = chromium.new_context(**options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    wrong = []
    page.on('console', lambda message: wrong.append(message.text) if message.type in ('error', 'warning') else None)
    page.on('pageerror', lambda error: wrong.append(str(error)))
    page.wrong = wrong
    yield page
    context.close()
    assert wrong == []


def violations(page, **options):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={'resultTypes': ['violations'], **options})
    return [(one['id'], one['nodes'][0]['html']) for one in found.response['violations']]


@pytest.mark.thorough
def test_no_page_has_violations_errors_or_a_width_beyond_the_window(chromium, env):
    env.fail(env.take(), reason='ValueError: no such card')
    env.decide()
    on = f'on=waits:{env.run_ids["waits"]}'
    with served(env) as url, opened(chromium, color_scheme='light', reduced_motion='reduce') as page:
        for path in (
            '/', '/?id=nothing', '/execution?id=waits', '/execution?id=parent&depth=1&event=3', '/workers',
            '/types', f'/act?action=signal&{on}', f'/act?action=terminate&{on}',
        ):  # fmt: skip
            page.goto(url + path)
            for width in WIDTHS:
                page.set_viewport_size({'width': width, 'height': 800})
                assert violations(page) == [], (path, width)
                assert page.evaluate('document.documentElement.scrollWidth <= innerWidth'), (path, width)
                page.emulate_media(color_scheme='dark')
                assert violations(page, runOnly=['color-contrast']) == [], (path, width)  # no other rule sees colors
                page.emulate_media(color_scheme='light')


@pytest.mark.thorough
def test_hostile_text_changes_nothing(chromium, env):
    token = env.take()
    env.fail(token, reason=EVIL)
    env.decide()
    env.signal(EVIL[:200], 'waits', value=EVIL)
    env.signal('long', 'waits', value='x' * 32_000)
    with served(env) as url, opened(chromium, viewport={'width': 360, 'height': 800}) as page:
        for path in ('/', '/execution?id=waits', '/execution?id=order-1', '/execution?id=waits&event=6', '/workers'):
            page.goto(url + path)
            assert 'genflow' in page.title()
            assert page.locator('main img').count() == 0
            assert page.evaluate('document.documentElement.scrollWidth <= innerWidth'), path
            assert '\u202e' not in page.inner_text('body')


@pytest.mark.thorough
def test_everything_works_without_script(chromium, env):
    with served(env) as url, opened(chromium, java_script_enabled=False) as page:
        page.goto(url)
        page.fill('main input[name=id]', 'wait')
        page.click('text=Search')
        assert 'id=wait' in page.url
        page.click('main >> text=waits')
        assert 'It waits for the signal' in page.inner_text('main')
        page.click('#e1')
        assert page.url.endswith('#e1')
        assert 'childPolicy' in page.inner_text('#open-event')
        page.fill('#approvals input[name=value]', 'true')
        page.click('text=Send')
        page.wait_for_url('**/execution?**')
        assert 'Done: signal' in page.inner_text('main')
        page.click('text=Terminate…')
        page.fill('input[name=reason]', 'no longer wanted')
        page.click('button:has-text("Terminate")')
        assert env.gathered('waits').view.close.reason == 'no longer wanted'


@pytest.mark.thorough
def test_everything_is_reached_by_the_keyboard(chromium, env):
    with served(env) as url, opened(chromium) as page:
        page.goto(url)
        page.keyboard.press('Tab')
        assert page.evaluate('document.activeElement.className') == 'skip'
        page.keyboard.press('Enter')
        for _ in range(60):
            page.keyboard.press('Tab')
            if page.evaluate('document.activeElement.textContent') == 'order-1':
                break
        assert page.evaluate('getComputedStyle(document.activeElement).outlineStyle') == 'solid'
        page.keyboard.press('Enter')
        page.wait_for_url('**id=order-1**')


@pytest.mark.thorough
def test_back_goes_through_what_was_opened(chromium, env):
    with served(env) as url, opened(chromium) as page:
        page.goto(f'{url}/?id=order&sort=id')
        page.click('main >> text=order-1')
        page.click('#e1')
        page.wait_for_selector('#open-event')
        assert 'event=1' in page.url
        page.go_back()
        page.wait_for_selector('#open-event', state='detached')
        page.go_back()
        page.wait_for_selector('table')
        assert page.url == f'{url}/?id=order&sort=id'
        assert page.input_value('main input[name=id]') == 'order'


@pytest.mark.thorough
def test_two_windows_see_what_happens(chromium, env):
    with served(env) as url, opened(chromium) as first, opened(chromium) as second:
        first.goto(f'{url}/execution?id=order-1')
        second.goto(url)
        first.click('#timeline summary')
        env.begin(Plain, 'fresh', decided=False)
        env.complete(env.take())
        second.wait_for_selector('text=fresh')
        first.wait_for_selector('#e7')
        assert first.evaluate('document.querySelector("#timeline details").open')
        assert first.locator('#e7').count() == 1
        assert 'completed' in first.inner_text('#timeline')


@pytest.mark.thorough
def test_a_service_that_goes_away_is_reported_and_comes_back(chromium, env):
    class Switched:
        is_on = True

        def __getattr__(self, name):
            if not self.is_on:
                raise EndpointConnectionError(endpoint_url='http://swf')
            return getattr(service, name)

    service, env.swf = env.swf, Switched()
    with served(env) as url, opened(chromium) as page:
        page.goto(f'{url}/execution?id=order-1')
        env.swf.is_on = False
        page.wait_for_selector('#lost:not([hidden])')
        assert 'http://swf' in page.inner_text('#lost')
        env.swf.is_on = True
        page.wait_for_selector('#lost', state='hidden')
        env.swf.is_on = False
        page.goto(f'{url}/types')
        assert 'does not answer' in page.inner_text('main')
        env.swf.is_on = True
        page.wait_for_selector('table')
        assert all('503' in text for text in page.wrong)
        page.wrong.clear()


@pytest.mark.slow
def test_a_history_of_25_000_events_is_one_page_at_once(chromium, env, record_property):
    for number in range(24_990):
        env.swf.signal_workflow_execution(domain=DOMAIN, workflowId='order-1', signalName=f's{number}')
    with served(env) as url, opened(chromium) as page:
        page.goto(f'{url}/execution?id=order-1')
        page.goto(f'{url}/execution?id=order-1')
        times = page.evaluate(
            '({paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,'
            ' load: performance.getEntriesByType("navigation")[0].loadEventEnd})'
        )
        assert page.locator('#events a').count() >= 24_990
        assert page.evaluate('document.querySelectorAll("#events *").length') < 25_300, 'an event is one element'
        assert page.locator('#events >> text=s24989').count() == 1
    for name, milliseconds in times.items():
        record_property(name, milliseconds)
