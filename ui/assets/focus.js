// Where the focus goes when the page changes under somebody who works by keys.

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

// A button whose card leaves the list when it is pressed takes the focus along, and the next Tab would start at the top
// of the page: the same button of the card that has come in its place gets it, once the key is up, since one that is
// held down would press that, too. Not where the one button of a report on the desk is pressed: what follows there nobody
// has read. On Review it has keys of its own.
const PATIENCE_MS = 5_000;
let left = null;
let held = false;

function alike(button) {
  const kind = /\bst-key-([a-z]+)-/.exec(button.closest("[class*='st-key-']")?.className)?.[1];
  return kind ? `[class*='st-key-${kind}-'] button:enabled` : null;
}

function onPress({ target }) {
  const button = target.closest?.("button");
  // By key: a mouse goes on by itself.
  const others = button?.matches(":focus-visible") && !location.pathname.endsWith("/review") ? alike(button) : null;
  const list = others ? [...document.querySelectorAll(others)] : [];
  left = list.length < 2 ? null : {
    button,
    others,
    place: list.indexOf(button),
    until: performance.now() + PATIENCE_MS,
    where: location.pathname,
  };
}

function follow() {
  if (!left || held || left.button.isConnected) return;
  const gone = performance.now() > left.until || location.pathname !== left.where;
  const next = document.querySelectorAll(left.others);
  if (gone || document.activeElement !== document.body) left = null;
  else if (next.length) {
    next[Math.min(left.place, next.length - 1)].focus();
    left = null;
  }
}

function onKey({ type }) {
  held = type === "keydown";
  follow();
}

new MutationObserver(follow).observe(document.body, { childList: true, subtree: true });

export default function () {
  document.addEventListener("click", onClick);  // once, however often this is called
  document.addEventListener("click", onPress);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("keyup", onKey, true);
}
