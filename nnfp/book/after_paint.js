// The page is read before it is used: its scripts come when it has been painted, in their order. The theme's, the
// first, begins its work when the document has been read, so it is told so again.
{
  const bring = () => {
    for (const [index, source] of SOURCES.entries()) {
      const script = Object.assign(document.createElement("script"), { src: source, async: false });
      const read = document.readyState !== "loading";
      if (!index && read) script.onload = () => document.dispatchEvent(new Event("DOMContentLoaded"));
      document.body.append(script);
    }
  };
  const told = window.PerformanceObserver?.supportedEntryTypes?.includes("paint");
  const seen = (_, observer) => {
    observer.disconnect();
    bring();
  };
  if (told) new PerformanceObserver(seen).observe({ type: "paint", buffered: true });
  else bring();
}
