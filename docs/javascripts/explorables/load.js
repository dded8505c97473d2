// Puts a moving figure in place of a static one when the reader comes near it:
//   <div class="explorable" data-explorable="neuron" markdown> ... a figure ... </div>
// Without this script, in print, or if a file is missing, the static figure stays.

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      upgrade(entry.target);
    }
  },
  { rootMargin: "800px" },
);

const begun = new WeakSet();

async function upgrade(place) {
  const name = place.dataset.explorable;
  const drawing = place.querySelector(".figure-drawing");
  if (!drawing || begun.has(place)) return; // the page may be looked through again while the file is on its way
  begun.add(place);
  try {
    await import(`./${name}.js`);
  } catch (error) {
    console.warn(`explorable ${name}:`, error);
    return;
  }
  place.classList.add("is-live");
  drawing.after(document.createElement(`nnfp-${name}`));
}

function scan() {
  near.disconnect();
  for (const place of document.querySelectorAll("[data-explorable]")) near.observe(place);
}

// The theme tells of every page that it puts in place of another, once its script is there.
function follow() {
  if (!window.document$) return;
  document.removeEventListener("DOMContentLoaded", follow);
  window.document$.subscribe(scan);
}

scan();
document.addEventListener("DOMContentLoaded", follow);
follow();
