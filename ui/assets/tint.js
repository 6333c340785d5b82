// What is chosen in a segmented control is written in the primary colour on a tenth of it: in the dark at 3.6:1, where
// 4.5:1 can be read (WCAG AA). No primary colour reads there and also under the white words of a button.
const sheet = new CSSStyleSheet();
sheet.replaceSync("[data-variant='segmented_control'][data-selected] { color: light-dark(#1f5fa8, #86b4ee) !important; }");
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];  // once: a module is run once

export default function () {}
