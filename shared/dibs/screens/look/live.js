// A screen follows what happens: clocks run, and its main part is fetched anew as long as somebody
// looks at it. Whoever types or has something open is left alone.
const EVERY = 5000;
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

const busy = () => document.hidden || $("main details[open], main dialog[open]") ||
  document.activeElement?.matches("main input, main select, main textarea");

// What has the focus is found again by where it leads or what it sends.
const same = (one) => one && ["id", "href", "name", "value"]
  .filter((each) => one.getAttribute(each))
  .map((each) => `[${each}="${CSS.escape(one.getAttribute(each))}"]`).join("");

let tag = "";
const follow = async () => {
  if (busy() || $("main[data-still]")) return;
  try {
    const got = await fetch(location.href, { headers: { accept: "text/html", "if-none-match": tag } });
    $("#off").textContent = "";
    if (got.status === 304) return;
    if (got.redirected) return location.assign(got.url);
    if (!got.ok) return;
    tag = got.headers.get("etag") ?? "";
    const fresh = new DOMParser().parseFromString(await got.text(), "text/html");
    if (busy()) return;
    const focus = same(document.activeElement?.closest("main *"));
    $("main").replaceWith($("main", fresh));
    if (focus) $(`main ${focus}`)?.focus();
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
