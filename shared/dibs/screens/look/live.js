// A screen follows what happens: clocks run, and its main part is fetched anew as long as somebody
// looks at it. Whoever types, presses or has something open is left alone.
const EVERY = 5000;
const CLICK = 500;
const $ = (what, of = document) => of.querySelector(what);
const all = (what) => document.querySelectorAll(what);

const clock = (left) => {
  const [h, m, s] = [left / 3600, (left / 60) % 60, left % 60].map((n) => Math.floor(n));
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

const ends = new WeakMap();
const tick = () => {
  let over = false;
  for (const each of all("[data-left]")) {
    if (!ends.has(each)) ends.set(each, performance.now() + each.dataset.left * 1000);
    const left = Math.max(0, Math.round((ends.get(each) - performance.now()) / 1000));
    const text = clock(left);
    if (each.textContent !== text) each.textContent = text;
    if (!left && !each.dataset.over) over = each.dataset.over = "yes";
  }
  if (over) follow();
};

// What is pressed must still be there when it is let go: only then is it a click.
let pressed = 0;
const press = () => { pressed = Infinity };
const letGo = () => { pressed = performance.now() + CLICK };
for (const each of ["pointerdown", "keydown"]) addEventListener(each, press, true);
for (const each of ["pointerup", "pointercancel", "keyup", "blur"]) addEventListener(each, letGo, true);

const busy = () => document.hidden || performance.now() < pressed ||
  $("main details[open], main dialog[open]") ||
  document.activeElement?.matches("main input, main select, main textarea");

// What has the focus is found again by where it stands, leads and sends: many leads have a button
// of the same name.
const same = (one) => {
  let path = "";
  for (; one.localName !== "main"; one = one.parentElement) {
    const attributes = ["id", "href", "action", "name", "value"]
      .filter((each) => one.getAttribute(each))
      .map((each) => `[${each}="${CSS.escape(one.getAttribute(each))}"]`).join("");
    path = `>${one.localName}${attributes}${path}`;
  }
  return `main${path}`;
};

// What is announced once is not announced again each time it is fetched.
const announced = (of) => [...of.querySelectorAll("main [role=alert], main [role=status]")];
const words = (each) => each.textContent;
let heard = announced(document).map(words);

let last = "";
const follow = async () => {
  if (busy()) return;
  try {
    const got = await fetch(location.href, { headers: { accept: "text/html" } });
    if (got.redirected) return location.assign(got.url);
    if (!got.ok) throw got.status;
    const text = await got.text();
    $("#off").textContent = "";
    // What has not changed stays, also for whoever has it read aloud.
    if (busy() || text === last) return;
    last = text;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const focus = document.activeElement?.closest("main *");
    const path = focus && same(focus);
    const now = announced(fresh), said = now.map(words);
    for (const each of now) if (heard.includes(words(each))) each.removeAttribute("role");
    heard = said;
    $("main").replaceWith($("main", fresh));
    if (path) $(path)?.focus();
    document.title = fresh.title;
  } catch {
    $("#off").textContent = $("#off").dataset.text;
  }
};

tick();
setInterval(tick, 1000);
setInterval(follow, EVERY);
addEventListener("visibilitychange", follow);
addEventListener("online", follow);
