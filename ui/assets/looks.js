// What the settings of Streamlit's looks have no name for.
const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  /* What is chosen in a segmented control is written in the primary colour on a tenth of it: in the dark at 3.6:1, where
     4.5:1 can be read (WCAG AA). No primary colour reads there and also under the white words of a button. */
  [data-variant='segmented_control'][data-selected] { color: light-dark(#1f5fa8, #86b4ee) !important; }
  /* Under the bar of a desk nothing follows: what was left free there is the report's. */
  [data-testid='stBottomBlockContainer'] { padding-bottom: 1rem; }
  /* A laptop's window is low and its bar of keys is long: what is free at the sides is theirs. */
  [data-testid='stMainBlockContainer'], [data-testid='stBottomBlockContainer'] { padding-inline: 1.5rem; }
  /* So much between a word and the edge of its button that all of a new report's stand in one row, undo included. */
  [data-testid='stBottomBlockContainer'] button { padding-inline: .5rem; }
  /* On Review a name stands beside what it names where both fit, and below each other where they do not. */
  [class*='st-key-candidate-'] [data-testid='stRadioGroup'] > div { flex-flow: row wrap; align-items: center; }
  .st-key-levels .stButtonGroup { display: flex; flex-wrap: wrap; align-items: center; }
  .st-key-levels .stButtonGroup > label { flex: 0 0 8.5rem; margin: 0; }
  .st-key-levels .stButtonGroup > [role='radiogroup'] { flex: 1 1 16rem; }
`);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];  // once: a module is run once

export default function () {}
