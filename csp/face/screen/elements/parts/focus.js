// The boxes for own words: opened, the cursor goes into the first; Enter saves and goes on, Escape leaves, and both
// give the keys back to the page. A box that is merely there does not take the cursor.
// Between the press that opens them and their coming, letters would be keys of verdicts: they wait for the first box.
const LONGEST = 10000; // milliseconds that they wait
let early = null; // what was typed since the press; null: nothing is to come
let giveUp = 0;

const OPENS = "edit"; // the button that opens them
const box = (name) => document.querySelector(`.st-key-${CSS.escape(name)} input`);
const button = (name) => document.querySelector(`.st-key-${CSS.escape(name)} button`);

const left = (event) => {
  const data = window.cspWords;
  if (event.isComposing || !data.boxes.some((name) => box(name) === event.target)) return;
  if (event.key === "Enter" && box(data.boxes[0]).value.trim()) {
    event.target.blur();
    whenSent(() => button(data.save)?.click());
  } else if (event.key === "Escape") {
    event.target.blur();
    whenSent(() => button(data.leave)?.click());
  }
};

const expectBox = () => {
  const { boxes, leave } = window.cspWords;
  if (!button(OPENS)?.isConnected || (leave && box(boxes[0]))) return; // the press closes the boxes
  early = "";
  clearTimeout(giveUp);
  giveUp = setTimeout(() => { early = null; }, LONGEST);
};

const TYPED = "input, textarea, select, [contenteditable]";
const alone = (event) => !(event.ctrlKey || event.metaKey || event.altKey);

// At the document, where Streamlit hears keys: one that belongs to a layer on top never comes so far.
const opens = (event) => {
  const key = event.key.toUpperCase() === window.cspWords.key;
  if (key && alone(event) && !event.repeat && !event.target.closest(TYPED)) expectBox();
};

const clicked = (event) => {
  if (event.target.closest?.(`.st-key-${OPENS} button`)) expectBox();
};

const tooEarly = (event) => {
  if (early === null || !alone(event) || event.target.closest(TYPED)) return;
  event.stopPropagation();
  event.preventDefault();
  if (event.key === "Escape") early = null;
  else if (event.key === "Backspace") early = early.slice(0, -1);
  else if (event.key.length === 1) early += event.key;
};

const hand = (first) => {
  first.focus();
  if (early) {
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    set.call(first, first.value + early);
    first.dispatchEvent(new Event("input", { bubbles: true }));
  }
  early = null;
};

export default function ({ data }) {
  if (!window.cspWords) {
    document.addEventListener("keydown", left);
    document.addEventListener("keydown", opens);
    window.addEventListener("keydown", tooEarly, true);
    window.addEventListener("click", clicked, true);
  }
  const before = window.cspWords?.opened ?? 0;
  window.cspWords = data;
  if (data.opened <= before) return;
  let tries = 200;
  const seek = () => {
    const first = box(data.boxes[0]);
    if (first) hand(first);
    else if (tries-- > 0) setTimeout(seek, 25);
    else early = null;
  };
  seek();
}
