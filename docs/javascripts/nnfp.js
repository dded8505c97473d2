// Small repairs to what Material leaves unnamed for a screen reader or out of reach of the keyboard.

function name(selector, label) {
  for (const [number, element] of document.querySelectorAll(selector).entries()) {
    if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", label(number + 1));
  }
}

function repair() {
  name(".md-search[role=dialog]", () => "Search");
  name(".md-progress", () => "Loading");
  name(".md-annotation__index", (number) => `Annotation ${number}`);
  for (const [number, element] of document.querySelectorAll(".md-code__nav").entries()) {
    const label = `Tools of code block ${number + 1}`;
    if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
  }
  // What scrolls must be reachable by keyboard.
  const boxes = ".md-typeset pre > code, .md-typeset__scrollwrap, .figure-drawing";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth && box.tabIndex < 0) box.tabIndex = 0;
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
