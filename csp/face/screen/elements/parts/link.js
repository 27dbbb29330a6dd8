// Copies the address of the view. Without https a browser withholds the clipboard: then a text field does it.
const copy = async (text) => {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.appendChild(field);
  field.select();
  document.execCommand("copy");
  field.remove();
};

export default function ({ parentElement }) {
  const button = parentElement.querySelector(".csp-copy");
  button.onclick = async () => {
    await copy(window.location.href);
    button.textContent = "Link copied";
    setTimeout(() => (button.textContent = "Copy link"), 1600);
  };
}
