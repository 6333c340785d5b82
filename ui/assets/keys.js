// The reviewer's keys: a press is sent with the report and the version that stood on screen when it was made.
//
// Presses are numbered and stay in the component's state until the server says that it has handled them, so
// that none is lost when two arrive during one run, and none is done twice.

const desk = { last: 0, presses: [], data: null, send: null, root: null, written: null, used: null, pause: 0 };
// A field of its own, with a button of its own: what is written there is no part of the decision.
const APART = "[class*='st-key-question-']";
// What is written in these is a draft.
const DRAFTED = ["note", "better", "log", "question"].map((name) => `[class*='st-key-${name}-'] textarea`).join();
const PAUSE_MS = 1000;
const USES = ["wheel", "touchmove", "pointerdown", "input"];
const ACTIVE = "[role='dialog'], [data-baseweb='popover'] [role='listbox']";

function isTyping(element) {
  if (!element) return false;
  if (element.isContentEditable || element.tagName === "TEXTAREA" || element.tagName === "SELECT") return true;
  return element.tagName === "INPUT" && !["radio", "checkbox", "button", "range"].includes(element.type);
}

function nameOf(event) {
  if (event.key === "Enter") return event.ctrlKey || event.metaKey ? "save" : "";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (event.key === "ArrowUp") return "up";
  if (event.key === "ArrowDown") return "down";
  return event.key.length === 1 ? event.key.toLowerCase() : "";
}

// What a person reads is the truth: the heading's anchor names the report and the version that it was drawn from.
function onScreen() {
  const heading = document.querySelector("[id^='on-desk-']");
  const found = heading && /^on-desk-(.+)-(\d+)$/.exec(heading.id);
  return found && { report: found[1], version: Number(found[2]) };
}

// What follows `start` in the key of an element on screen; "" when there is none. A run draws the page bit by bit, and
// what it has drawn is newer than the data that come at its end.
function keyed(start) {
  for (const element of document.querySelectorAll(`[class*='${start}']`)) {
    const name = [...element.classList].find((one) => one.startsWith(start));
    if (name) return name.slice(start.length);
  }
  return "";
}

function candidates() {
  return [...document.querySelectorAll("[class*='st-key-candidate-'] input[type='radio']")];
}

function highlighted() {
  const radio = candidates().find((one) => one.checked);
  return radio?.closest("label").querySelector("code")?.textContent.trim();
}

function move(step) {
  const radios = candidates();
  const at = radios.findIndex((radio) => radio.checked);
  radios[Math.min(Math.max(at + step, 0), radios.length - 1)]?.click();
}

function press(key) {
  const seen = onScreen();
  if (!seen) return;
  const of = `${seen.report}-${seen.version}-`;
  const shown = { clause: keyed(`st-key-choose-${of}`), undo: Number(keyed(`st-key-undo-${of}`)) || 0 };
  // Between a new heading and the new data the rest is not sure, and is left out.
  const { data } = desk;
  if (data.report === seen.report && data.version === seen.version) {
    shown.mine = data.shown.mine;
    shown.candidate = data.candidates.find((one) => one.other_id === highlighted()) ?? null;
  }
  desk.presses.push({ ...seen, n: ++desk.last, key, shown });
  // A text that is being written reaches the server first: it is part of what is saved.
  if (isTyping(document.activeElement)) {
    document.activeElement.blur();
    setTimeout(send, 50);
  } else send();
}

function send() {
  desk.send("presses", [...desk.presses]);
}

function onKey(event) {
  if (!event.isTrusted) return;  // from `keep`, nobody's press
  if (!desk.root.isConnected) return;  // another page
  const key = nameOf(event);
  if (event.repeat || event.isComposing || !desk.data.keys.includes(key)) return;
  if (isTyping(event.target) && (key !== "save" || event.target.closest(APART))) return;
  if (document.querySelector(ACTIVE)) return;
  if (key === "up" || key === "down") {
    if (event.target.type === "radio") return;  // the browser moves it by itself
    event.preventDefault();
    move(key === "up" ? -1 : 1);
    return;
  }
  event.preventDefault();
  press(key);
}

// On Ctrl+Enter Streamlit takes what the text area holds, as it does when the field is left; the caret stays where it is.
function keep() {
  desk.written?.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
}

// A draft is kept at a pause, not only when its field is left; and as the page goes, where the browser has time for it.
function onInput(event) {
  if (!desk.root.isConnected || !event.target.matches(DRAFTED)) return;
  desk.written = event.target;
  clearTimeout(desk.pause);
  desk.pause = setTimeout(keep, PAUSE_MS);
}

// The report in which somebody scrolls, points or writes already.
function onUse() {
  desk.used = onScreen()?.report;
}

// Called for each run's data. Nothing is given back that would be called to clean up: Streamlit calls that of a call which
// a newer run has overtaken while the newer one's file still loads, and a key pressed until then would not be heard.
export default function ({ data, parentElement, setStateValue }) {
  // Another report is read from its beginning, wherever its forerunner was left. These data come after its text:
  // whoever has begun with it stays where they are.
  if (desk.data && desk.data.report !== data.report) {
    if (desk.used !== data.report) document.querySelector("[data-testid='stMain']")?.scrollTo(0, 0);
    desk.used = null;
  }
  desk.data = data;
  desk.send = setStateValue;
  desk.last = Math.max(desk.last, data.handled);
  desk.presses = desk.presses.filter((pressed) => pressed.n > data.handled);
  desk.root = parentElement.host ?? parentElement;
  desk.root.dataset.keys = "heard";  // this file comes after the page: until then no key is
  // Each once, however often this is called.
  document.addEventListener("keydown", onKey);
  document.addEventListener("input", onInput);
  for (const use of USES) document.addEventListener(use, onUse, { passive: true });
  window.addEventListener("beforeunload", keep);
}
