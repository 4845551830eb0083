// What script adds to pages that work without it: parts are fetched anew when the server says that something happened,
// countdowns run, an event opens in its place, and commands can be copied. HTML is only ever taken from our own server.
'use strict';

const parts = new Map();  // by id: the HTML that the server sent last, to know what has changed since
const banner = document.getElementById('lost');

function remember(root) {
  for (const part of root.querySelectorAll('[data-part]')) parts.set(part.id, part.innerHTML);
}

function isBusy(part) {
  const focused = document.activeElement;
  return part.contains(focused) && focused.matches('input:not([type=checkbox]), textarea, select');
}

// What somebody has opened, ticked and focused within a part stays so.
function keep(part, fresh) {
  for (const one of part.querySelectorAll('details[id]')) {
    const same = fresh.querySelector(`#${CSS.escape(one.id)}`);
    if (same) same.open = one.open;
  }
  for (const one of part.querySelectorAll('input[type=checkbox]:checked')) {
    const same = fresh.querySelector(`input[value="${CSS.escape(one.value)}"]`);
    if (same) same.checked = true;
  }
}

function pathTo(part, element) {
  if (!part.contains(element)) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.value && element.name) return `${element.localName}[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]`;
  const link = element.getAttribute('href');
  if (link) return `a[href="${CSS.escape(link)}"]`;
  return element.localName === 'summary' && element.parentElement.id ? `#${CSS.escape(element.parentElement.id)} > summary` : null;
}

function mergePart(part, fresh) {
  if (parts.get(part.id) === fresh.innerHTML || isBusy(part)) return;
  parts.set(part.id, fresh.innerHTML);
  const focus = pathTo(part, document.activeElement);
  keep(part, fresh);
  part.replaceChildren(...fresh.childNodes);
  if (focus) part.querySelector(focus)?.focus({preventScroll: true});
}

function merge(page) {
  for (const fresh of page.querySelectorAll('[data-part]')) {
    const part = document.getElementById(fresh.id);
    if (part) mergePart(part, document.adoptNode(fresh));
  }
  const events = document.getElementById('events');
  const more = page.getElementById('events');
  if (events && more) {
    for (const line of more.querySelectorAll('a[id]')) {
      if (document.getElementById(line.id)) continue;
      let group = events.lastElementChild;
      if (!group || group.childElementCount >= 100) {
        group = document.createElement('div');
        group.className = 'group';
        events.append(group);
      }
      group.append(document.adoptNode(line));
    }
  }
  if (page.body.dataset.events) document.body.dataset.events = page.body.dataset.events;
  document.title = page.title;
  wire();
}

let fetching = false;
let again = false;

async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const address = new URL(location.href);
    address.hash = '';
    address.searchParams.delete('event');
    if (document.body.dataset.events) address.searchParams.set('after', document.body.dataset.events);
    const answer = await fetch(address);
    if (answer.ok) {
      merge(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      tell('');
    }
  } catch {
    tell('The dashboard does not answer. This page shows what was known before; it goes on by itself.');
  }
  await new Promise(resolve => setTimeout(resolve, 500));
  fetching = false;
  if (again) { again = false; refresh(); }
}

function tell(text) {
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = !text;
}

function listen() {
  const address = document.body.dataset.live;
  if (!address) return;
  const stream = new EventSource(address);
  stream.addEventListener('changed', refresh);
  stream.addEventListener('closed', () => stream.close());
  stream.addEventListener('lost', event => tell(`The service does not answer; trying again. (${event.data})`));
  stream.onerror = () => { if (stream.readyState !== EventSource.CLOSED) tell('The dashboard does not answer; trying again.'); };
  stream.onopen = () => { if (banner.textContent.startsWith('The dashboard')) refresh(); };
  addEventListener('pagehide', () => stream.close());
  addEventListener('pageshow', event => { if (event.persisted) location.reload(); });
}

const UNITS = [[86400, 'd'], [3600, 'h'], [60, 'min']];

function told(seconds) {
  for (const [size, name] of UNITS) {
    if (seconds < size) continue;
    const place = UNITS.findIndex(unit => unit[0] === size) + 1;
    const [below, small] = UNITS[place] || [1, 's'];
    const rest = Math.floor(seconds % size / below);
    return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${small}` : ''}`;
  }
  return `${Math.floor(seconds)} s`;
}

function countDown() {
  for (const one of document.querySelectorAll('[data-until]')) {
    const rest = (Date.parse(one.dataset.until) - Date.now()) / 1000;
    one.textContent = rest >= 0 ? `in ${told(rest)}` : `${told(-rest)} overdue`;
  }
}

function wire() {
  for (const button of document.querySelectorAll('.copy[hidden]')) {
    button.hidden = false;
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = 'Copied';
    };
  }
  if (document.querySelector('[data-pending]')) setTimeout(refresh, 500);
}

// An event opens below its line, and its address is the page's, so that Back closes it.
async function openEvent(line) {
  const address = new URL(line.href);
  document.getElementById('open-event')?.remove();
  address.pathname = '/execution/event';
  address.hash = '';
  const answer = await fetch(address);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const opened = page.getElementById('open-event');
  if (opened) line.after(document.adoptNode(opened));
}

document.getElementById('events')?.addEventListener('click', event => {
  const line = event.target.closest('.group > a');
  if (!line || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const isOpen = line.nextElementSibling?.id === 'open-event';
  history.pushState({}, '', isOpen ? line.href.replace(/[?&]event=\d+#.*/, '') : line.href);
  if (isOpen) line.nextElementSibling.remove(); else openEvent(line);
});

addEventListener('popstate', () => {
  const number = new URL(location.href).searchParams.get('event');
  const line = number && document.getElementById(`e${number}`);
  if (line) openEvent(line); else document.getElementById('open-event')?.remove();
});

// A page that could not be made because the service did not answer is made as soon as it does.
async function retry() {
  const answer = await fetch(location.href).catch(() => null);
  if (answer && answer.status !== 503) location.reload(); else setTimeout(retry, 2000);
}

if (document.body.dataset.retry) setTimeout(retry, 1000);
remember(document);
wire();
listen();
setInterval(countDown, 1000);
