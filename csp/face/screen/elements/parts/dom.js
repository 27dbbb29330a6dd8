// What our elements share: it stands in front of each. Text goes in by textContent only, so nothing from a run
// can become markup.
const make = (tag, name, parent, text = "") => {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  parent?.appendChild(node);
  return node;
};

// Opens an address of this app without loading the app anew: Streamlit listens to the browser's history.
const open = (href) => {
  window.history.pushState({}, "", href);
  window.dispatchEvent(new PopStateEvent("popstate"));
};

// A real link, so that Ctrl-click opens a tab; a plain click stays in the app.
const link = (name, parent, text, href) => {
  const anchor = make("a", name, parent, text);
  anchor.href = href;
  anchor.onclick = (event) => {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(href);
  };
  return anchor;
};

const pictures = (name, parent, shown, side) => {
  const strip = make("span", name, parent);
  for (const { src, alt } of shown) {
    const image = make("img", "", strip);
    image.alt = alt;
    image.width = image.height = side;
    if (src) image.src = src;
  }
};

const badges = (parent, shown) => {
  const marks = make("span", "csp-badges", parent);
  for (const [words, tone, help] of shown) {
    const badge = make("span", "csp-badge", marks, words);
    badge.dataset.tone = tone;
    badge.title = help;
  }
};

// What was typed is on its way to the server a few frames after its box was left.
const whenSent = (act) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(act, 80)));
