// Keys belong to what is on top, wait for who is to hear them, and a first click after typing is a click.
const LAYERS = '[role="dialog"], [role="alertdialog"], [role="listbox"], [role="menu"]';
const BOXES = 'input:not([role="combobox"], [type="checkbox"], [type="radio"], [type="range"]), textarea';
const PRINTED = { ArrowLeft: "←", ArrowRight: "→" };
const FAR = 10; // pixels: from there on, a press is a drag or a scroll

// What lies over the page: the last is on top. Streamlit draws layers outside of the page's root.
const onTop = () =>
  [...document.querySelectorAll(LAYERS)]
    .filter((node) => !node.closest("#root") && node.getClientRects().length > 0)
    .at(-1);

// Streamlit prints the key of a button on it, and hears keys at the document, behind every layer: what lies under
// one would act unseen. So a key stops here, at the body, and presses only a button of the layer itself.
const belongsOnTop = (event) => {
  if (event.key === "Escape" || event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  // A letter that is held down would judge neuron after neuron unseen.
  if (event.repeat && event.key.length === 1 && !typing) event.stopPropagation();
  const layer = onTop();
  if (!layer) return;
  event.stopPropagation();
  if (typing || event.repeat) return;
  const printed = PRINTED[event.key] ?? event.key.toUpperCase();
  const keys = [...layer.querySelectorAll("button:enabled kbd")];
  keys.find((key) => key.textContent === printed)?.closest("button").click();
};

// On a first page Streamlit's buttons hear keys a moment before the scripts of the verdict bar do: a letter that was
// meant for own words would be a verdict, and a lost press would not be said. Keys of that moment wait.
let early = [];

const barHears = () => window.cspWords && window.cspPresses;

const again = () => {
  if (!barHears()) return void setTimeout(again, 20);
  const waited = early;
  early = [];
  for (const event of waited) document.body.dispatchEvent(new KeyboardEvent("keydown", event));
};

const tooSoon = (event) => {
  if (!event.isTrusted || (barHears() && early.length === 0)) return;
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target !== document.body || !document.querySelector(".st-key-verdict-acts")) return;
  event.stopImmediatePropagation();
  if (early.push(event) === 1) again();
};

// Text that was typed is sent when its box is left, a few frames later: after the click that left it. The server
// would answer the text as the newer request and drop the click; and what the text redraws may move from under the
// pointer. So such a click waits until the text is on its way, and then goes to what was pressed.
let edited = null;
let held = null;

const described = (target) => {
  const keyed = target.closest('[class*="st-key-"]');
  const key = keyed && [...keyed.classList].find((name) => name.startsWith("st-key-"));
  return { target, key, tag: target.tagName, href: target.getAttribute("href"), text: target.textContent };
};

// What was pressed may have been drawn anew meanwhile; a link leads where it led.
const pressAgain = ({ target, key, tag, href, text }) => {
  if (target.isConnected) return target.click();
  const all = [...document.querySelectorAll(key ? `.${CSS.escape(key)} ${tag}` : tag)];
  const alike = all.filter((one) => one.textContent === text);
  const same = alike.find((one) => one.getAttribute("href") === href) ?? (alike.length === 1 ? alike[0] : null);
  if (same) same.click();
  else if (href) open(href);
};

// A link that only changes this page's address gets what was typed into it once the page is drawn again.
const changesThisPage = (target) =>
  target.tagName === "A" && new URL(target.href).pathname === window.location.pathname;

const whenAtRest = (act, tries = 20, calm = 0) => {
  const state = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
  const now = state === "notRunning" ? calm + 1 : 0;
  if (now > 2 || tries === 0) act();
  else setTimeout(() => whenAtRest(act, tries - 1, now), 100);
};

// Of a text and another page that are asked for at once the server may answer the text alone: then ask again, unless
// the page came and was left, or something else was asked for.
let asking = null;

const forget = () => { asking = null; };

const go = (pressed, from = window.location.pathname, tries = 3) => {
  pressAgain(pressed);
  const elsewhere = pressed.tag === "A" && new URL(pressed.href, window.location).pathname !== from;
  if (!elsewhere || tries === 0) return;
  asking = pressed;
  whenAtRest(() => { if (asking === pressed && window.location.pathname === from) go(pressed, from, tries - 1); });
};

const press = (event) => {
  held = null;
  const box = edited;
  const target = event.target.closest?.("a[href], button:not([aria-haspopup])");
  if (!box || document.activeElement !== box || !target || event.button !== 0) return;
  edited = null;
  held = { ...described(target), x: event.clientX, y: event.clientY };
  box.blur();
};

const release = (event) => {
  const mine = held;
  if (!mine) return;
  if (Math.hypot(event.clientX - mine.x, event.clientY - mine.y) > FAR) {
    held = null;
    return;
  }
  const act = () => {
    if (held === mine) held = null;
    go(mine);
  };
  whenSent(() => (changesThisPage(mine.target) ? whenAtRest(act) : act()));
};

const clicked = (event) => {
  if (!held || !event.isTrusted) return;
  event.preventDefault();
  event.stopImmediatePropagation();
};

export default function () {
  if (window.cspKeys) return;
  window.cspKeys = true;
  window.addEventListener("keydown", tooSoon, true);
  document.body.addEventListener("keydown", belongsOnTop);
  window.addEventListener("input", (event) => { if (event.target.matches(BOXES)) edited = event.target; }, true);
  window.addEventListener("pointerdown", press, true);
  window.addEventListener("pointerup", release, true);
  window.addEventListener("pointercancel", () => { held = null; }, true);
  window.addEventListener("click", clicked, true);
  stepsWait();
  for (const event of ["popstate", "pointerdown", "keydown"]) window.addEventListener(event, forget, true);
}
