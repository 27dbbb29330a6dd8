// The boxes for own words: opened, the cursor goes into the first; Enter saves and goes on, Escape leaves, and both
// give the keys back to the page. A box that is merely there does not take the cursor.
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

export default function ({ data }) {
  if (!window.cspWords) document.addEventListener("keydown", left);
  const before = window.cspWords?.opened ?? 0;
  window.cspWords = data;
  if (data.opened <= before) return;
  let tries = 40;
  const seek = () => {
    const first = box(data.boxes[0]);
    if (first) first.focus();
    else if (tries-- > 0) setTimeout(seek, 25);
  };
  seek();
}
