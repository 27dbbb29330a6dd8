// Cards, each a link to what it shows. Text goes in by textContent only.
const make = (tag, name, parent, text = "") => {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  parent.appendChild(node);
  return node;
};

// Opens an address of this app without loading the app anew: Streamlit listens to the browser's history.
const open = (href) => {
  window.history.pushState({}, "", href);
  window.dispatchEvent(new PopStateEvent("popstate"));
};

const draw = (root, { href, title, label, line, pictures, badges, hint, whose }) => {
  const card = make("a", "csp-card", root);
  card.href = href;
  card.title = hint;
  card.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(href);
  };
  const strip = make("span", "csp-card-pictures", card);
  for (const { src, alt } of pictures) {
    const image = make("img", "", strip);
    image.alt = alt;
    image.width = image.height = 96;
    if (src) image.src = src;
  }
  make("span", "csp-card-title", card, title);
  make("span", "csp-card-label", card, label);
  if (whose) make("span", "csp-card-whose", card, whose);
  make("span", "csp-card-line", card, line);
  const marks = make("span", "csp-badges", card);
  for (const [words, tone, help] of badges) {
    const badge = make("span", "csp-badge", marks, words);
    badge.dataset.tone = tone;
    badge.title = help;
  }
};

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".csp-cards");
  root.style.setProperty("--columns", data.columns);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.title);
  root.replaceChildren();
  data.cards.forEach((card) => draw(root, card));
}
