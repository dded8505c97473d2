// Run, Stop and Edit below a snippet. Loaded by nnfp.js on the first click; Python itself runs in
// run_worker.js, which loads Pyodide and NumPy from this site.

let worker = null;
let next = 0;
const waiting = new Map(); // id -> { bar, message }; the first one runs

const make = (tag, attributes = {}, text = "") => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
};

const blockOf = (number) => document.querySelector(`[data-snippet="${number}"]`);
const shownCode = (block) => block.querySelector("pre > code").textContent;
const editorOf = (block) => block.querySelector("textarea.run-editor");
const currentCode = (block) => editorOf(block)?.value ?? shownCode(block);

// The lines of output are not for editing.
const withoutOutputs = (text) =>
  text
    .split("\n")
    .filter((line) => !/^\s*#>/.test(line))
    .join("\n")
    .replace(/\n+$/, "");

function resultOf(bar) {
  const number = bar.dataset.snippetBar;
  let result = bar.querySelector(".run-result");
  if (!result) {
    result = make("div", { class: "run-result" });
    const verdict = make("p", { class: "run-verdict", role: "status" });
    const output = make("pre", {
      class: "run-output",
      role: "log",
      tabindex: "0",
      "aria-label": `Output of snippet ${number}`,
    });
    output.hidden = true;
    result.append(verdict, output);
    bar.append(result);
  }
  return { verdict: result.querySelector(".run-verdict"), output: result.querySelector(".run-output") };
}

function say(bar, kind, text) {
  const { verdict } = resultOf(bar);
  verdict.dataset.kind = kind;
  verdict.textContent = text;
}

function show(bar, text) {
  const { output } = resultOf(bar);
  output.textContent = text;
  output.hidden = !text;
}

function busy(bar, on) {
  const button = bar.querySelector("[data-run=run], [data-run=stop]");
  button.dataset.run = on ? "stop" : "run";
  button.textContent = on ? "Stop" : "Run";
  button.setAttribute("aria-label", `${on ? "Stop" : "Run"} snippet ${bar.dataset.snippetBar}`);
}

function close(id, kind, text) {
  const { bar } = waiting.get(id);
  waiting.delete(id);
  busy(bar, false);
  say(bar, kind, text);
}

function end(text, kind) {
  worker?.terminate();
  worker = null;
  for (const id of [...waiting.keys()]) close(id, kind, text);
}

// Ends this snippet alone: if it runs, with its Python, and the one that waits starts anew.
function stop(bar) {
  const id = [...waiting.keys()].find((key) => waiting.get(key).bar === bar);
  if (id === undefined) return;
  const runs = id === waiting.keys().next().value;
  close(id, "stopped", "Stopped.");
  if (!runs) return;
  worker?.terminate();
  worker = null;
  begin();
}

function begin() {
  const [first] = waiting.values();
  if (!first) return;
  if (!worker) start();
  say(first.bar, "busy", "Running…");
  worker.postMessage(first.message);
}

function start() {
  worker = new Worker(new URL("run_worker.js", import.meta.url), { type: "module" });
  worker.onerror = (event) => {
    event.preventDefault();
    end("Python could not be loaded.", "error");
  };
  worker.onmessage = ({ data }) => {
    const bar = waiting.get(data.id)?.bar;
    if (!bar) return;
    if (data.kind === "status") say(bar, "busy", data.text);
    if (data.kind === "output") show(bar, resultOf(bar).output.textContent + data.text);
    if (data.kind === "failed") end(`Python could not be loaded: ${data.text}`, "error");
    if (data.kind === "done") {
      const { verdict, sentence, output, trace } = data.result;
      show(bar, output + (output && !output.endsWith("\n") ? "\n" : "") + trace.join("\n"));
      close(data.id, verdict, sentence);
      begin();
    }
  };
}

function run(bar) {
  const number = Number(bar.dataset.snippetBar);
  const block = blockOf(number);
  const earlier = [];
  for (let k = 1; k < number; k += 1) earlier.push(currentCode(blockOf(k)));
  const id = (next += 1);
  const message = { id, page: location.pathname, earlier, source: currentCode(block), original: shownCode(block) };
  waiting.set(id, { bar, message });
  busy(bar, true);
  show(bar, "");
  if (waiting.size > 1) say(bar, "busy", "Waits for the snippet that runs…");
  else begin();
}

function edit(bar, button) {
  const block = blockOf(bar.dataset.snippetBar);
  const text = withoutOutputs(shownCode(block));
  const editor = make("textarea", {
    class: "run-editor",
    rows: String(text.split("\n").length),
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    autocorrect: "off",
    wrap: "off",
    "aria-label": `Code of snippet ${bar.dataset.snippetBar}. Control and Enter run it.`,
  });
  editor.value = text;
  editor.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      if (bar.querySelector("[data-run=run]")) run(bar);
    } else if (!event.shiftKey && !event.isComposing) {
      const line = editor.value.slice(0, editor.selectionStart).split("\n").pop();
      const indent = line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : "");
      if (indent && document.execCommand("insertText", false, `\n${indent}`)) event.preventDefault();
    }
  });
  editor.addEventListener("input", () => {
    editor.rows = Math.max(1, editor.value.split("\n").length);
  });
  block.classList.add("is-edited");
  block.append(editor);
  button.dataset.run = "reset";
  button.textContent = "Reset";
  button.setAttribute("aria-label", `Reset snippet ${bar.dataset.snippetBar} to what the page has`);
  editor.focus({ preventScroll: true });
}

function reset(bar, button) {
  const block = blockOf(bar.dataset.snippetBar);
  stop(bar);
  bar.querySelector(".run-result")?.remove(); // it speaks of what was edited
  editorOf(block)?.remove();
  block.classList.remove("is-edited");
  button.dataset.run = "edit";
  button.textContent = "Edit";
  button.setAttribute("aria-label", `Edit snippet ${bar.dataset.snippetBar}`);
}

export function press(button) {
  const bar = button.closest(".run");
  const what = button.dataset.run;
  if (what === "run") run(bar);
  if (what === "stop") stop(bar);
  if (what === "edit") edit(bar, button);
  if (what === "reset") reset(bar, button);
}

// A snippet of a page that was left need not run on.
window.document$?.subscribe(() => {
  if ([...waiting.values()].some(({ bar }) => !bar.isConnected)) end("Stopped.", "stopped");
});
