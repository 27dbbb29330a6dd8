// A step counts from the address of the browser: one pressed before the last step came there would lead to the same
// place again. So it waits for that, and then presses its button. A key that is held down goes as fast as pages come.
const STEPS = { ArrowLeft: ["previous-image", "previous"], ArrowRight: ["next-image", "next"] };
const NAMES = [...Object.values(STEPS).flat(), "random"];
const OTHERS = 'input, textarea, select, [contenteditable], [role="slider"], [role="radio"], [role="tab"]';
const LOOKS = 20; // milliseconds between looks at the address
const AT_LEAST = 4000; // milliseconds in which a server begins to answer
const AT_MOST = 10000; // milliseconds after which nothing is waited for
let underWay = null; // the step that was pressed last: at which address, and when
let waiting = []; // names of the buttons that were pressed since
let mine = false; // whether the click comes from here

const stepButton = (name) => (onTop() ?? document).querySelector(`.st-key-${name} button:enabled`);
const drawing = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning";

const comes = () => {
  if (!underWay || location.href !== underWay.href) return false;
  const waited = performance.now() - underWay.at;
  return waited < AT_LEAST || (waited < AT_MOST && drawing());
};

const goOn = () => {
  if (comes()) return void setTimeout(goOn, LOOKS);
  underWay = null;
  if (waiting.length) step(waiting.shift());
};

// A click, also for a key: buttons hear clicks as soon as they are there, and keys a moment later.
const step = (name) => {
  const button = stepButton(name);
  if (!button) return void (waiting = []); // where no step is left, none waits
  underWay = { href: location.href, at: performance.now() };
  setTimeout(goOn, LOOKS);
  mine = true;
  button.click();
  mine = false;
};

const stepped = (event, name) => {
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!underWay) step(name);
  else if (!event.repeat) waiting.push(name);
};

const stepByKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.target.closest?.(OTHERS)) return;
  const name = STEPS[event.key]?.find((one) => document.querySelector(`.st-key-${one} button`));
  if (name && stepButton(name)) stepped(event, name);
};

const stepByClick = (event) => {
  const button = event.target.closest?.("button:enabled");
  const name = button && NAMES.find((one) => button.closest(`.st-key-${one}`));
  if (name && !mine) stepped(event, name);
};

const stayHere = () => {
  underWay = null;
  waiting = [];
};

const stepsWait = () => {
  window.addEventListener("keydown", stepByKey, true);
  window.addEventListener("click", stepByClick, true);
  window.addEventListener("popstate", stayHere, true);
};
