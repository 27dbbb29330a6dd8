// What screen readers and keys find their way by, which Streamlit leaves out: a link past the navigation, the
// page's name as its first heading, the navigation and the verdict bar as landmarks, the page one is on, and
// what each help button is about. Streamlit draws parts anew, so it is said again whenever something came.
const LANDMARKS = {
  ".st-key-frame-links": ["navigation", "Pages"],
  ".stBottom": ["region", "Verdict"],
};

const said = (node, name, value) => {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
};

const subject = (button) => {
  const text = button.closest("[data-testid=stMarkdown], [data-testid=stCaptionContainer], .stElementContainer");
  return (text?.textContent ?? "").replace(/^[●\s]+/, "").trim().slice(0, 60);
};

const mark = (here) => {
  for (const [place, [role, name]] of Object.entries(LANDMARKS)) {
    for (const node of document.querySelectorAll(place)) {
      said(node, "role", role);
      said(node, "aria-label", name);
    }
  }
  for (const anchor of document.querySelectorAll(".st-key-frame-links a")) {
    if (anchor.textContent.trim() !== here) anchor.removeAttribute("aria-current");
    else if (anchor.ariaCurrent !== "page") {
      said(anchor, "aria-current", "page");
      // Where the links don't all fit, the one of this page is in sight.
      const links = anchor.closest(".st-key-frame-links");
      links.scrollLeft += anchor.getBoundingClientRect().left - links.getBoundingClientRect().left - 120;
    }
  }
  // The page's name is the heading above: what Streamlit calls a third-level heading comes right under it.
  for (const heading of document.querySelectorAll(".stMain h3")) said(heading, "aria-level", "2");
  for (const button of document.querySelectorAll("button[aria-label=Help]")) {
    const about = subject(button);
    if (about) said(button, "aria-label", `Help: ${about}`);
  }
};

export default function ({ data, parentElement }) {
  const heading = parentElement.querySelector("h1");
  heading.textContent = data.title;
  heading.hidden = data.titled;
  const skip = parentElement.querySelector(".csp-skip");
  skip.onclick = (event) => {
    event.preventDefault();
    const goal = data.titled ? document.querySelector(".stMain h1:not(.csp-unseen)") : heading;
    goal.tabIndex = -1;
    goal.focus();
  };
  let waiting = 0;
  const soon = () => {
    if (!waiting) waiting = setTimeout(() => { waiting = 0; mark(data.here); }, 100);
  };
  const watch = new MutationObserver(soon);
  watch.observe(document.body, { childList: true, subtree: true });
  mark(data.here);
  return () => {
    watch.disconnect();
    clearTimeout(waiting);
  };
}
