// Small repairs to what Material leaves unnamed for a screen reader or out of reach of the keyboard.

function name(selector, label) {
  for (const [number, element] of document.querySelectorAll(selector).entries()) {
    if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", label(number + 1));
  }
}

// What scrolls must be reachable by keyboard. An observer is told when the layout is done; to ask for the widths
// would have it done at once, and what is folded away too. The theme takes the tabindex away where nothing hovers.
function reachable(entries) {
  const scrolls = ({ target }) => target.scrollWidth > target.clientWidth && target.tabIndex < 0;
  for (const { target } of entries.filter(scrolls)) target.tabIndex = 0;
}
const sizes = new ResizeObserver(reachable);
const taken = new MutationObserver(reachable);

function repair() {
  name(".md-search[role=dialog]", () => "Search");
  name(".md-progress", () => "Loading");
  name(".md-code__nav", (number) => `Tools of code block ${number}`);
  name(".md-annotation__index", (number) => `Annotation ${number}`);
  for (const box of document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap, .figure-drawing")) {
    sizes.observe(box); // a second time is no other
    taken.observe(box, { attributeFilter: ["tabindex"] });
  }
  exercises();
}

// The grader comes where there is something to answer. A classic script: from files there are no modules.
const here = document.currentScript.src;
let grader = null;

function exercises() {
  if (!document.querySelector(":is(form.answer, .answers-panel):not([data-live])")) return;
  if (window.nnfpAnswers) window.nnfpAnswers.scan();
  else if (!grader) {
    grader = document.createElement("script");
    grader.src = new URL("answers.js", here);
    document.head.append(grader);
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.matches?.("form.answer")) event.preventDefault();
});

let waiting = false;

function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    repair();
  });
}

// Material adds its widgets late and replaces the page under instant navigation: look whenever it does.
new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
soon();

// The buttons below snippets: nothing of it is loaded before the first click.
let run = null;

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-run]");
  if (!button) return;
  if (!run) run = await import("./run.js");
  run.press(button);
});
