// Small repairs to what Material leaves unnamed for a screen reader. Runs after each page change.

function name(selector, attribute, value) {
  for (const element of document.querySelectorAll(selector)) {
    if (!element.hasAttribute(attribute)) element.setAttribute(attribute, value);
  }
}

function repair() {
  name(".md-search[role=dialog]", "aria-label", "Search");
  name(".md-progress", "aria-label", "Loading");
  name(".md-annotation__index", "aria-label", "Annotation");
  // A code block, table or figure that scrolls must be reachable by keyboard.
  const boxes = ".md-typeset pre > code, .md-typeset__scrollwrap, .figure-drawing";
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}

if (window.document$) window.document$.subscribe(repair);
else document.addEventListener("DOMContentLoaded", repair);
