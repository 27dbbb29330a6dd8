// Puts the cursor into a box when it appears: what is typed next is meant for it, not for the keys of buttons.
export default function ({ data, parentElement }) {
  if (parentElement.dataset.focused === data.box) return;
  parentElement.dataset.focused = data.box;
  let tries = 40;
  const seek = () => {
    const box = document.querySelector(`.st-key-${CSS.escape(data.box)} input`);
    if (box) box.focus();
    else if (tries-- > 0) setTimeout(seek, 25);
  };
  seek();
}
