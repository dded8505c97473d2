// "Break an equation": a choice of equation and corruption in place of the list that the page holds.

function buttons(list) {
  const group = document.createElement("div");
  group.className = "break-buttons";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "What to corrupt");
  const variants = [...list.children];
  const choose = (chosen) => {
    for (const [k, variant] of variants.entries()) {
      variant.hidden = k !== chosen;
      group.children[k].setAttribute("aria-pressed", String(k === chosen));
    }
  };
  for (const [k, variant] of variants.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "break-button";
    button.append(...[...variant.querySelector(".break-what").childNodes].map((node) => node.cloneNode(true)));
    button.addEventListener("click", () => choose(k));
    group.append(button);
  }
  list.before(group);
  list.setAttribute("aria-live", "polite");
  choose(0);
}

export function start(place) {
  if (place.classList.contains("is-live")) return;
  place.classList.add("is-live");
  const equations = [...place.querySelectorAll(".break-one")];
  const label = document.createElement("label");
  const select = document.createElement("select");
  label.className = "break-select";
  label.append("Equation ", select);
  for (const equation of equations) {
    select.add(new Option(equation.querySelector("summary").textContent));
    equation.open = true;
    buttons(equation.querySelector(".break-list"));
  }
  const show = () => equations.forEach((equation, k) => (equation.hidden = k !== select.selectedIndex));
  select.addEventListener("change", show);
  place.prepend(label);
  show();
}
