// Light, dark, or as the system has it, before anything is painted. The theme's own switch comes after the
// page is shown, which flashes, and has every style of the page computed three times over.
{
  const choices = [...document.querySelectorAll("[data-palette] input")];
  const light = matchMedia("(prefers-color-scheme: light)");
  let chosen = Math.max(0, Math.min(__md_get("__palette")?.index ?? 0, choices.length - 1));

  function wear() {
    const system = choices.find((choice) => choice.dataset.mdColorMedia.includes(light.matches ? ": light" : ": dark"));
    const choice = chosen ? choices[chosen] : system; // the first follows the system
    for (const part of ["scheme", "primary", "accent"]) {
      document.body.setAttribute(`data-md-color-${part}`, choice.getAttribute(`data-md-color-${part}`));
    }
    choices.forEach((choice, index) => {
      choice.checked = index === chosen;
      choice.nextElementSibling.hidden = index !== chosen;
    });
  }

  function choose(index) {
    chosen = index;
    wear();
    __md_set("__palette", { index });
  }

  for (const [index, choice] of choices.entries()) {
    choice.addEventListener("change", () => choose(index));
    choice.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      choose((chosen + 1) % choices.length);
      choices[chosen].focus();
    });
  }
  light.addEventListener("change", wear);
  wear();
}
