// What is wrong with the look of the page as it stands: pictures and controls without words, text too pale, a sideways
// scroll bar, parts that jumped while it was drawn (cumulative layout shift, as browsers define it).
() => {
  const seen = (node) => {
    const { width, height, right } = node.getBoundingClientRect();
    return width > 1 && height > 1 && right > 0 && getComputedStyle(node).visibility !== "hidden";
  };
  const words = (node) => (node.ariaLabel || node.alt || node.title || node.textContent || "").trim();
  const nameless = [];
  let pictures = 0;
  for (const node of document.querySelectorAll("img:not(.csp-overlay), .stPlotlyChart, .csp-tile, .csp-card, button, a, summary")) {
    if (!seen(node) || node.closest("[aria-hidden=true], .modebar")) continue;
    if (node.matches("img, .stPlotlyChart")) pictures += 1;
    const inside = [...node.querySelectorAll("img, [aria-label], [role=img]")].map(words).join("");
    const said = node.matches(".stPlotlyChart") ? node.ariaLabel : words(node) || inside;
    if (!said && !(node.labels?.length > 0)) nameless.push(node.outerHTML.slice(0, 200));
  }

  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = rgba(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
  // Text on a picture is judged on a white one.
  const behind = (node) => {
    const layers = [];
    for (let one = node; one; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (one.matches(".csp-frame")) layers.push([255, 255, 255, 1]);
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), page);
  };
  const pale = [];
  const walker = document.createTreeWalker(document.querySelector(".stApp"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!/[\p{L}\p{N}]/u.test(text) || !seen(node)) continue;
    if (node.closest("script, style, [disabled], [aria-disabled=true], [aria-hidden=true], [data-testid=stIconMaterial]")) continue;
    const style = getComputedStyle(node), svg = node.closest("svg");
    let opacity = svg ? Number(style.fillOpacity) : 1;
    for (let one = node; one; one = one.parentElement) opacity *= Number(getComputedStyle(one).opacity);
    const ink = rgba(svg ? style.fill : style.color), ground = behind(node);
    const shown = over([...ink.slice(0, 3), ink[3] * opacity], ground);
    const [dark, bright] = [light(shown), light(ground)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    // Of the ground's own colour is what shows when pointed at.
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio > 1.01 && ratio < (large ? 3 : 4.5)) pale.push(`${ratio.toFixed(2)}: ${text.slice(0, 60)} (${node.className})`);
  }

  const main = document.querySelector("[data-testid=stMain]");
  const wide = [document.scrollingElement, main].filter((one) => one.scrollWidth > one.clientWidth + 1);
  return { pictures, nameless, pale, wide: wide.map((one) => one.className), jumped: window.cspJumped ?? 0 };
};
