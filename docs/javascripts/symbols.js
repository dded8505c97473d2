// Pointing at a symbol of a display, or tapping it, shows its row of the panel: meaning and shape.
// By keyboard the arrows walk through the symbols of the display that has the focus.
// The panel lists the same rows, for those without scripts.

let card, shown, leaving;

// What is put in here is read aloud.
const aloud = document.createElement("div");
aloud.setAttribute("role", "status");

function row(symbol) {
  const number = symbol.dataset.s;
  return symbol.closest(".equation")?.querySelector(`.mark-symbols tr[data-s="${number}"]`);
}

function hide() {
  clearTimeout(leaving);
  shown?.classList.remove("is-shown");
  shown?.closest(".equation-scroll")?.removeAttribute("aria-describedby");
  card?.remove();
  card = shown = undefined;
}

function show(symbol, place = document.body) {
  clearTimeout(leaving);
  if (symbol === shown) return;
  const from = row(symbol);
  hide();
  if (!from) return;
  shown = symbol;
  shown.classList.add("is-shown");
  card = document.createElement("div");
  card.className = "symbol-card md-typeset";
  card.id = "symbol-card";
  card.setAttribute("role", "tooltip");
  for (const cell of from.cells) {
    const part = document.createElement("span");
    part.className = cell.className;
    part.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
    card.append(part);
  }
  place.append(card);
  shown.closest(".equation-scroll").setAttribute("aria-describedby", card.id);
  const at = symbol.getBoundingClientRect();
  const most = document.documentElement.clientWidth - card.offsetWidth - 8;
  const left = Math.max(8, Math.min(at.left + at.width / 2 - card.offsetWidth / 2, most));
  const above = at.top - card.offsetHeight - 6;
  const top = above > 60 ? above : at.bottom + 6;
  card.style.left = `${left + window.scrollX}px`;
  card.style.top = `${top + window.scrollY}px`;
}

// KaTeX lays empty boxes over its letters, so the letter is looked for below the pointer.
function symbolAt(event) {
  if (!event.target.closest?.(".equation-scroll")) return;
  const below = document.elementsFromPoint(event.clientX, event.clientY);
  return below.map((element) => element.closest(".equation-scroll [data-s]")).find(Boolean);
}

document.addEventListener("pointermove", (event) => {
  if (event.pointerType !== "mouse") return;
  const symbol = symbolAt(event);
  clearTimeout(leaving);
  if (symbol) show(symbol);
  else if (shown && !card.contains(event.target)) leaving = setTimeout(hide, 250);
});

document.addEventListener("click", (event) => {
  const symbol = symbolAt(event);
  if (symbol) show(symbol);
  else if (!card?.contains(event.target)) hide();
});

const displayOf = (event) => event.target.closest?.(".equation-scroll:has([data-s])");
let walked; // as far as the arrows have scrolled the display themselves

function walk(display, key) {
  const symbols = [...display.querySelectorAll("[data-s]")].filter(row);
  const at = symbols.indexOf(shown);
  const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? symbols.length - 1 : at - 1, Home: 0, End: symbols.length - 1 }[key];
  if (!symbols[to]) return;
  const box = display.getBoundingClientRect();
  const symbol = symbols[to].getBoundingClientRect();
  display.scrollLeft += Math.min(0, symbol.left - box.left - 24) + Math.max(0, symbol.right - box.right + 24);
  walked = display.scrollLeft;
  show(symbols[to], aloud);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
  const display = displayOf(event);
  if (!display || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!["ArrowRight", "ArrowLeft", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  walk(display, event.key);
});

document.addEventListener("focusin", (event) => {
  const display = displayOf(event);
  if (!display) return;
  document.body.append(aloud); // instant navigation may have taken it away
  display.setAttribute("aria-keyshortcuts", "ArrowRight ArrowLeft");
});
document.addEventListener("focusout", (event) => displayOf(event) && hide());

document.addEventListener("scroll", ({ target }) => target !== document && !(aloud.contains(card) && target.scrollLeft === walked) && hide(), true);

if (!customElements.get("break-equation")) {
  customElements.define(
    "break-equation",
    class extends HTMLElement {
      connectedCallback() {
        // From the script's own folder; where nothing can be imported the list stays as it is.
        import("./break.js").then((module) => module.start(this)).catch(() => {});
      }
    },
  );
}
