// What the settings of Streamlit's looks have no name for.
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  /* What is chosen in a segmented control is written in the primary colour on a tenth of it: in the dark at 3.6:1, where
     4.5:1 can be read (WCAG AA). No primary colour reads there and also under the white words of a button. */
  [data-variant='segmented_control'][data-selected] { color: light-dark(#1f5fa8, #86b4ee) !important; }
  /* Under the bar of a desk nothing follows: what was left free there is the report's. */
  [data-testid='stBottomBlockContainer'] { padding-bottom: 1rem; }
`);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];  // once: a module is run once

export default function () {}
