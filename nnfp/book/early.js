// What the theme's script does once the page is there, done before: the classes of the root, and whole addresses
// for the style sheets, which it compares from page to page. Either has every style computed anew.
document.documentElement.className = "js js-focus-visible";
for (const sheet of document.querySelectorAll("link[rel=stylesheet]")) sheet.href = sheet.href;
