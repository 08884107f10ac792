'use strict';
// The page works without this script. With it: the sheet that asks, taps that survive a bad
// network, a running clock, and the news within 3 s when somebody else was faster.
// Every answer is the part of such a page that changes; its <main> replaces ours.
const part = 'text/html;part=main';
const page = location.pathname.replace(/\/(claim|undo|outcome)$/, '');
const find = (what, from = document) => from.querySelector(what);
const all = (what) => document.querySelectorAll(what);
const root = document.documentElement;
let state, labels, ends, timer, sending, seen, fails = 0;

function say(text) {
const sheet = find('dialog[open] [role=status]');
const place = sheet || find('#say');
if (!text) text = sheet ? labels.ask : '';
if (place.textContent !== text) place.textContent = text;
}

// One request, given up after 8 s; throws when there is no answer.
async function ask(path, accept, method = 'GET', body) {
const stop = new AbortController();
const late = setTimeout(() => stop.abort(), 8000);
try {
const answer = await fetch(path, {
method, body, headers: {accept}, cache: 'no-store', keepalive: true, signal: stop.signal
});
return [answer, await answer.text()];
} finally {
clearTimeout(late);
}
}

const failed = (answer) => answer.status > 499 || answer.status === 429;

const wait = (ms) => new Promise((go) => {
setTimeout(go, ms);
addEventListener('online', go, {once: true});
});

// Tapping again is harmless (a claim is decided once, an outcome counts once by its id), so keep on
// until there is an answer.
// After the window closed, only look how it ended.
async function send(what, body) {
if (sending) return;
const mine = sending = {};
find('[data-act=yes]')?.setAttribute('aria-disabled', true);
if (what === 'claim') say(labels.sending);
if (body) say(labels.recording);
for (let n = 0; sending === mine; n++) {
let pause = Math.min(500 * 2 ** n, 5000);
try {
const over = what === 'claim' && Date.now() > ends;
const [answer, html] = await ask(over ? page : `${page}/${what}`, part, over ? 'GET' : 'POST', body);
if (!failed(answer)) return show(html);
say(labels.busy);
pause = Math.max(pause, 1000 * answer.headers.get('retry-after'));
} catch {
say(labels.offline);
}
await wait(pause);
}
watch();
}

function show(html) {
const fresh = new DOMParser().parseFromString(html, 'text/html');
const main = find('main[data-state]', fresh);
if (!main) throw html;
for (const plain of main.querySelectorAll('noscript')) plain.remove();
for (const back of main.querySelectorAll('[data-back]')) back.href = page;
for (const form of main.querySelectorAll('[data-tell]')) form.action = `${page}/outcome`;
say();
find('main').replaceWith(main);
document.title = fresh.title;
root.className = fresh.documentElement.className;
sending = null;
begin();
find('h1').focus();
}

// While the lead is open and the page visible, ask how it stands; the first question, or leaving
// before it, says that a person is looking (a link preview does not run this).
async function watch(leaving) {
clearTimeout(timer);
if (sending || (document.hidden && !leaving) || !/open|refused|busy|draw/.test(state)) return;
const began = Date.now();
try {
const [answer, body] = await ask(...seen ? [`${page}/state`, 'application/json'] : [`${page}/seen`, 'application/json', 'POST']);
const news = answer.ok ? JSON.parse(body).state : answer.status;
if (failed(answer)) throw answer;
seen = true;
if (fails) say();
fails = 0;
if (news !== state && !sending) {
if (news === 'lost') say(labels.gone);
const [other, html] = await ask(page, part);
if (failed(other)) throw other;
return show(html);
}
} catch {
if (++fails > 1) say(labels.offline);
}
const every = (state === 'refused' ? 5000 : 2000) * 2 ** Math.min(fails, 2);
clearTimeout(timer);
timer = setTimeout(watch, Math.max(0, began + every - Date.now()));
}

const clock = (s, m = s / 60 | 0, h = m / 60 | 0) =>
(h ? h + ':' + String(m % 60).padStart(2, 0) : m) + ':' + String(s % 60).padStart(2, 0);

function tick() {
const ring = find('[data-whole]');
for (const each of all('[data-left]')) {
const until = () => Math.max(0, Math.ceil((each.ends - Date.now()) / 1000));
let left = until();
// Once others may claim as well, the rest of the window is shown.
if (!left && each.then) {
each.ends = each.then;
each.then = 0;
left = until();
if (ring && each.closest('.disc')) ring.dataset.whole = left;
}
if (!each.dataset.do) each.textContent = clock(left);
if (each.parentNode.disabled === false && (left === 60 || left === 55)) say(left > 55 && labels.minute);
if (!left && !each.over) {
each.over = true;
if (each.dataset.end === 'drop') each.remove();
if (each.dataset.end === 'look') watch();
}
}
if (ring) ring.setAttribute('stroke-dasharray', `${Math.max(0, (find('.disc [data-left]').ends - Date.now()) / 10 / ring.dataset.whole)} 100`);
}

function begin() {
({state} = find('main').dataset);
labels = labels || JSON.parse(find('main').dataset.labels);
labels.ask = find('dialog [role=status]')?.textContent;
for (const each of all('[data-left]')) {
each.ends = Date.now() + 1000 * each.dataset.left;
each.then = each.dataset.then ? Date.now() + 1000 * each.dataset.then : 0;
}
const shown = find('.disc [data-left]');
ends = shown?.then || shown?.ends;
clearTimeout(timer);
find('[name=theme-color]').content = getComputedStyle(root).backgroundColor;
tick();
timer = setTimeout(watch, 2000);
}

addEventListener('submit', (event) => {
const what = event.target.dataset.do;
const sheet = find('dialog');
const tapped = event.submitter;
if ('tell' in event.target.dataset && tapped) {
event.preventDefault();
const said = new URLSearchParams(new FormData(event.target));
said.set(tapped.name, tapped.value);
send('outcome', said);
}
if (!what) return;
event.preventDefault();
if (what !== 'claim') send(what === 'undo' ? what : 'claim');
else if (sheet.showModal) sheet.showModal();
else if (confirm(find('h2', sheet).textContent)) send('claim');
});

addEventListener('click', (event) => {
const act = event.target.dataset.act;
if (act === 'yes') send('claim');
if (act === 'no' || event.target.tagName === 'DIALOG') find('dialog').close();
});

addEventListener('keydown', (event) => {
if (event.repeat && event.key === 'Enter') event.preventDefault();
});

document.addEventListener('close', () => {
sending = null;
find('[data-act=yes]').removeAttribute('aria-disabled');
find('dialog [role=status]').textContent = labels.ask;
watch();
}, true);
addEventListener('visibilitychange', () => watch(document.hidden && !seen));
addEventListener('online', () => watch());
addEventListener('DOMContentLoaded', () => { begin(); setInterval(tick, 1000); });
