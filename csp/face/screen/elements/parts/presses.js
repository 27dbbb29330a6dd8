// Says which presses of a verdict were not recorded: keys pressed faster than the page goes on, or twice. The second
// press of a hand that shakes never comes so far as to judge the next neuron; one that comes while the buttons are
// drawn anew waits for them.
const DOUBLED = 200; // milliseconds within which the same key again is the same press
const SETTLED = 3; // looks at the page in a row that find it at rest
const EVERY = 250; // milliseconds between them
const NEW = 2000; // milliseconds of calm, after which what was said before is old
const AGAIN = 50; // milliseconds until a press that no button heard is tried again
const IDLE = 10; // tries at a page at rest, after which no button will hear it

const fresh = (taken) => ({ pressed: 0, base: taken, taken, last: 0, calm: 0, timer: 0, data: null, place: null, page: "", key: null });

const resting = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";

const say = (counts) => {
  const lost = counts.pressed - (counts.taken - counts.base);
  const words = lost === 1 ? "One press was" : `${lost} presses were`;
  const text = `${words} not recorded: a press counts once, for the neuron on the screen. Go on from here.`;
  counts.place.textContent = lost > 0 ? text : "";
};

const wait = (counts) => {
  clearTimeout(counts.timer);
  counts.calm = 0;
  const look = () => {
    counts.calm = resting() ? counts.calm + 1 : 0;
    if (counts.calm >= SETTLED) say(counts);
    else counts.timer = setTimeout(look, EVERY);
  };
  counts.timer = setTimeout(look, EVERY);
};

const pressed = () => {
  const counts = window.cspPresses;
  if (location.pathname !== counts.page) return; // while the next neuron is drawn the line is not there, yet presses come
  const now = performance.now();
  if (now - counts.last > NEW && resting()) Object.assign(counts, { pressed: 0, base: counts.taken });
  Object.assign(counts, { pressed: counts.pressed + 1, last: now });
  counts.place.textContent = "";
  wait(counts);
};

const isKey = (event) =>
  !(event.ctrlKey || event.metaKey || event.altKey || event.repeat) &&
  window.cspPresses.data.keys.includes(event.key.toUpperCase()) &&
  !event.target.closest("input, textarea, select, [contenteditable]");

const isButton = (event) => {
  const key = event.target.closest?.("button")?.closest('[class*="st-key-"]');
  return key !== null && key !== undefined && window.cspPresses.data.buttons.some((name) => key.classList.contains(`st-key-${name}`));
};

// Whether this key was pressed a moment ago, and nobody can have seen what came of it.
const isDoubled = (event) => {
  const before = window.cspPresses.key;
  const now = performance.now();
  if (before?.key === event.key && now - before.at < DOUBLED) return true;
  window.cspPresses.key = { key: event.key, at: now };
  return false;
};

const tried = new WeakSet(); // presses that were counted before

// Streamlit's buttons keep the browser from using a key that they hear. While they are drawn anew nobody listens, nor
// while another key is down: then the press is tried again, for the neuron that it was meant for.
const untilHeard = (event, address = location.href, idle = 0) => {
  setTimeout(() => {
    if (event.defaultPrevented || location.href !== address || idle > IDLE) return;
    const again = new KeyboardEvent("keydown", event);
    tried.add(again);
    document.body.dispatchEvent(again);
    document.body.dispatchEvent(new KeyboardEvent("keyup", event)); // else Streamlit takes the key to be held down
    untilHeard(again, address, resting() ? idle + 1 : 0);
  }, AGAIN);
};

const heard = (event) => {
  if (tried.has(event)) return;
  if (!isKey(event)) {
    window.cspPresses.key = null;
    return;
  }
  if (isDoubled(event)) event.stopPropagation();
  else if (event.cancelable) untilHeard(event);
  pressed();
};

export default function ({ data, parentElement }) {
  if (!window.cspPresses) {
    window.cspPresses = fresh(data.taken);
    // Before the document, where Streamlit hears keys: one that belongs to a layer on top never comes so far.
    document.documentElement.addEventListener("keydown", heard);
    document.addEventListener("click", (event) => { if (isButton(event)) pressed(); }, true);
  }
  const counts = window.cspPresses;
  if (data.taken < counts.taken) Object.assign(counts, { pressed: 0, base: data.taken }); // another session
  Object.assign(counts, { data, taken: data.taken, place: parentElement.querySelector("p"), page: location.pathname });
  if (counts.pressed) wait(counts);
}
