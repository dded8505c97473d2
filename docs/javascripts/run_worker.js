// Python for the snippets, from this site: Pyodide, NumPy (whose hash Pyodide compares with its lock)
// and nnfp. One snippet after the other; Stop ends the whole worker.

import { loadPyodide } from "../assets/vendor/pyodide/pyodide.mjs";

const site = (path) => new URL(`../assets/vendor/${path}`, import.meta.url).href;

let python = null;
let cars = false;

async function unpack(pyodide, path) {
  const answer = await fetch(site(path), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  pyodide.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: "/lib/nnfp" });
}

async function load() {
  const pyodide = await loadPyodide({ indexURL: site("pyodide/") });
  await pyodide.loadPackage("numpy", { messageCallback: () => {} });
  await unpack(pyodide, "nnfp/nnfp.zip");
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/nnfp'); import numpy, nnfp, nnfp_page");
  return pyodide;
}

async function run({ id, page, earlier, source, original }) {
  const tell = (text) => postMessage({ id, kind: "status", text });
  let pyodide;
  try {
    if (!python) {
      tell("Loading Python and NumPy, about 9 MB the first time…");
      python = load();
    }
    pyodide = await python;
    if (!cars && [...earlier, source].some((text) => text.includes("load_cars"))) {
      tell("Loading the table of cars…");
      await unpack(pyodide, "nnfp/cars.zip");
      pyodide.runPython("import importlib; importlib.invalidate_caches()");
      cars = true;
    }
  } catch (error) {
    python = null;
    postMessage({ id, kind: "failed", text: String(error.message || error) });
    return;
  }
  tell(earlier.length ? "Running, with the earlier snippets of the page…" : "Running…");
  const before = pyodide.toPy(earlier);
  const module = pyodide.pyimport("nnfp_page");
  const answer = module.run(page, before, source, original, (text) =>
    postMessage({ id, kind: "output", text }),
  );
  before.destroy();
  module.destroy();
  postMessage({ id, kind: "done", result: JSON.parse(answer) });
}

let last = Promise.resolve();
onmessage = ({ data }) => {
  last = last.then(() => run(data)).catch((error) => {
    const result = { verdict: "error", sentence: "Failed.", output: "", trace: [String(error.message || error)] };
    postMessage({ id: data.id, kind: "done", result });
  });
};
