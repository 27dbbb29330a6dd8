// A grid of pictures, each a button that opens it large.
const newTile = () => {
  const tile = make("button", "csp-tile");
  tile.type = "button";
  const frame = make("span", "csp-frame", tile);
  const image = make("img", "csp-image", frame);
  image.width = image.height = 180;
  make("span", "csp-number", frame);
  make("span", "csp-chip", frame);
  const scale = make("span", "csp-scale", tile);
  make("span", "csp-bar", scale);
  make("span", "csp-mark", scale);
  const words = make("span", "csp-words", tile);
  make("span", "csp-line", words);
  make("span", "csp-aside", words);
  return tile;
};

const show = (tile, facts) => {
  const part = (name) => tile.querySelector(name);
  const image = part(".csp-image");
  if (facts.src) {
    if (image.src !== facts.src) image.src = facts.src;
  } else image.removeAttribute("src");
  image.alt = facts.alt;
  part(".csp-overlay")?.remove();
  if (facts.overlay) {
    const overlay = make("img", "csp-overlay");
    overlay.alt = "";
    overlay.src = facts.overlay;
    image.after(overlay);
  }
  tile.style.setProperty("--tone", facts.tone ? `var(--st-${facts.tone}-color)` : "");
  tile.title = facts.title;
  tile.disabled = !facts.src;
  tile.classList.toggle("csp-none", !facts.src);
  part(".csp-number").textContent = facts.number;
  part(".csp-chip").textContent = facts.chip;
  part(".csp-scale").style.visibility = facts.bar === null ? "hidden" : "";
  part(".csp-bar").style.width = `${100 * facts.bar}%`;
  part(".csp-mark").style.left = `${100 * facts.mark}%`;
  part(".csp-line").textContent = facts.line;
  part(".csp-aside").textContent = facts.aside;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".csp-tiles");
  root.style.setProperty("--columns", data.columns);
  root.dataset.tone = data.tone;
  while (root.children.length > data.tiles.length) root.lastChild.remove();
  while (root.children.length < data.tiles.length) root.appendChild(newTile());
  const tell = (pair) => document.dispatchEvent(new CustomEvent("csp-pair", { detail: pair }));
  [...root.children].forEach((tile, place) => {
    show(tile, data.tiles[place]);
    tile.onmouseenter = tile.onfocus = () => tell(place);
    tile.onmouseleave = tile.onblur = () => tell(null);
    const { image } = data.tiles[place];
    tile.onclick = image === null ? null : () => setTriggerValue("opened", image);
  });
  // The look-alike of a picture is the tile at the same position in the other grid.
  const point = (event) =>
    [...root.children].forEach((tile, place) => tile.classList.toggle("csp-pointed", place === event.detail));
  document.addEventListener("csp-pair", point);
  return () => document.removeEventListener("csp-pair", point);
}
