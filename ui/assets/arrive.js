// A card that a press opens above what is on screen comes into view once; later runs of the page leave it where it is.
// The server counts what is opened, so that the same card is shown again when it is opened again.
let last = 0;

export default function ({ data, parentElement }) {
  if (data.opening === last) return;
  last = data.opening;
  const card = parentElement.host ?? parentElement;
  card.style.scrollMarginTop = "6rem";  // the navigation lies over the page
  requestAnimationFrame(() => card.scrollIntoView({ block: "start" }));
}
