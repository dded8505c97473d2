// Pointing at a symbol of a display, or tapping it, shows its row of the panel: meaning and shape.
// The panel lists the same rows, for those without a pointer and without scripts.

let card, shown, leaving;

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

function show(symbol) {
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
  document.body.append(card);
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

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});

document.addEventListener("scroll", (event) => event.target !== document && hide(), true);

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
