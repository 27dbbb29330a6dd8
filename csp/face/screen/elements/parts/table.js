// A table whose rows may open something.

// 2nd, 3rd, 11th, 180th: narrow enough for a column of a table with five methods.
const ordinal = (rank) => {
  const last = rank % 100 > 10 && rank % 100 < 14 ? 0 : rank % 10;
  return `${rank}${["th", "st", "nd", "rd"][last] ?? "th"}`;
};

const draw = {
  text: (cell, value) => make("span", "csp-text", cell, value),
  quiet: (cell, value) => make("span", "csp-quiet", cell, value),
  lines: (cell, [value, under]) => {
    make("span", "csp-text", cell, value);
    if (under) make("span", "csp-under", cell, under);
  },
  badges: (cell, value) => badges(cell, value),
  images: (cell, value) => pictures("csp-strip", cell, value, 44),
  score: (cell, { text, rank, fill, low, high }) => {
    const line = make("span", "csp-number-line", cell);
    make("span", rank === 1 ? "csp-first" : "", line, text);
    if (rank) make("span", "csp-quiet", line, rank === 1 ? "first" : ordinal(rank));
    if (fill === null) return;
    const scale = make("span", "csp-track", cell);
    if (low !== null) {
      const range = make("span", "csp-range", scale);
      range.style.left = `${100 * low}%`;
      range.style.width = `${100 * (high - low)}%`;
    }
    make("span", "csp-fill", scale).style.width = `${100 * fill}%`;
  },
};

export default function ({ data, parentElement }) {
  const table = parentElement.querySelector("table");
  table.setAttribute("aria-label", data.title);
  const head = table.tHead.rows[0];
  head.replaceChildren();
  for (const { name, help, numeric, href, sorted } of data.columns) {
    const cell = make("th", numeric ? "csp-numeric" : "", head, href ? "" : name);
    cell.scope = "col";
    cell.title = help;
    if (sorted) cell.ariaSort = sorted;
    if (href) link("csp-sort", cell, name, href);
  }
  const body = table.tBodies[0];
  body.replaceChildren();
  data.rows.forEach(({ href, hint, strong, cells }) => {
    const row = make("tr", strong ? "csp-strong" : "", body);
    row.title = hint;
    cells.forEach(([kind, value], place) => {
      const cell = make("td", data.columns[place].numeric ? "csp-numeric" : "", row);
      if (href && place === 0) link("csp-link", cell, value, href);
      else draw[kind](cell, value);
    });
    if (href) {
      row.classList.add("csp-opens");
      row.onclick = () => open(href);
    }
  });
}
