// Remembers a typed name, and the page that someone wanted before they signed in: signing in leads to the start page.
const WANTED = "csp-wanted-page";

export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector(".csp-sign-in");
  button.hidden = data.inside;
  if (data.inside) {
    if (data.name) document.cookie = `${data.cookie}=${data.name};path=/;max-age=31536000;samesite=strict`;
    const wanted = sessionStorage.getItem(WANTED);
    sessionStorage.removeItem(WANTED);
    const here = window.location.pathname + window.location.search;
    if (wanted && wanted.startsWith("/") && !wanted.startsWith("//") && wanted !== here) {
      window.location.replace(wanted);
    }
    return;
  }
  button.onclick = () => {
    sessionStorage.setItem(WANTED, window.location.pathname + window.location.search);
    setTriggerValue("sign_in", true);
  };
}
