// Cards, each a link to what it shows.
const draw = (root, card) => {
  const anchor = link("csp-card", root, "", card.href);
  anchor.title = card.hint;
  pictures("csp-card-pictures", anchor, card.pictures, 96);
  make("span", "csp-card-title", anchor, card.title);
  make("span", "csp-card-label", anchor, card.label);
  if (card.whose) make("span", "csp-card-whose", anchor, card.whose);
  make("span", "csp-card-line", anchor, card.line);
  badges(anchor, card.badges);
};

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".csp-cards");
  root.style.setProperty("--columns", data.columns);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.title);
  root.replaceChildren();
  data.cards.forEach((card) => draw(root, card));
}
