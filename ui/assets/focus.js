// A menu that is opened by key gets the focus, so that the next key is its own. The front end gives it only when nothing
// fades in the page any more; of a fading that was broken off it may never hear, and then gives it to no menu.
const FRAMES = 60;

function give(button, frames) {
  if (!frames || document.activeElement !== button) return;  // somebody has it, or the menu is closed
  document.querySelector("[role='menu'] [role='menuitem']")?.focus();
  requestAnimationFrame(() => give(button, frames - 1));
}

function onClick({ target }) {
  const button = target.closest("[data-testid='stMenuButtonButton'][aria-haspopup='menu']");
  if (button) give(button, FRAMES);
}

export default function () {
  document.addEventListener("click", onClick);  // once, however often this is called
}
