// Opens an address of this app once, without loading the app anew: Streamlit listens to the browser's history.
export default function ({ data }) {
  window.history.pushState({}, "", data.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
}
