// What the pages do in the browser: the theme, the search, and the live parts of the book. Everything works from a folder, too, where a page can load
// scripts but no other files: so the index of the search is a script.

const page = document.documentElement;
const KEY = "saunet-theme";
const THEMES = ["system", "light", "dark"];

function readTheme() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // Browsers that keep nothing for a page throw.
    return null;
  }
}

function showTheme(theme) {
  page.dataset.theme = theme;
  // Pictures that come as two files follow the choice, too.
  for (const source of document.querySelectorAll("source[media]")) {
    source.dataset.media ??= source.media;
    source.media = { light: "not all", dark: "all" }[theme] ?? source.dataset.media;
  }
  const button = document.getElementById("theme");
  if (button === null) return;
  button.hidden = false;
  button.textContent = { system: "Auto", light: "Light", dark: "Dark" }[theme];
  button.setAttribute("aria-label", `Theme: ${button.textContent}`);
}

const startTheme = THEMES.includes(readTheme()) ? readTheme() : "system";
showTheme(startTheme);

function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${page.dataset.root}/assets/${name}`;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error(`${name} did not load`)));
    document.head.append(script);
  });
}

let searching;

/** Loads the search with the first letter. */
function search() {
  searching ??= Promise.all([loadScript("minisearch.js"), loadScript("search-index.js")]).then(() =>
    globalThis.MiniSearch.loadJS(globalThis.SEARCH.index, globalThis.SEARCH.options),
  );
  return searching;
}

function showFound(list, results) {
  list.hidden = results.length === 0;
  list.replaceChildren(
    ...results.slice(0, 10).map(({ id, title, part }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${page.dataset.root}/${id}`;
      link.textContent = part === title ? title : `${title} › ${part}`;
      item.append(link);
      return item;
    }),
  );
}

let liveParts;

/** Puts a live part in the place of a picture, when the reader asks for it. */
function offerLivePart(figure) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "try", textContent: "Try it" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = "Loading …";
    const place = document.createElement("div");
    place.className = "live";
    try {
      liveParts ??= loadScript("islands.js");
      await liveParts;
      await globalThis.saunetIslands.mount(figure.dataset.live, place);
      figure.querySelector("svg").after(place);
      figure.classList.add("is-live");
      button.remove();
    } catch (error) {
      button.textContent = `This does not work here: ${error.message}`;
    }
  });
  figure.querySelector("svg").after(button);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("figure[data-live]")) offerLivePart(figure);
  showTheme(startTheme);
  const button = document.getElementById("theme");
  button.addEventListener("click", () => {
    const theme = THEMES[(THEMES.indexOf(page.dataset.theme) + 1) % THEMES.length];
    showTheme(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // The choice then lasts as long as the page.
    }
  });
  // A wide page shows the chapters at once.
  const contents = document.querySelector(".contents details");
  if (contents !== null) contents.open = matchMedia("(min-width: 1000px)").matches;
  const [query, list] = [document.getElementById("query"), document.getElementById("found")];
  query.addEventListener("input", async () => {
    const words = query.value.trim();
    const found =
      words === "" ? [] : (await search()).search(words, { prefix: true, fuzzy: 0.15, boost: { part: 3 } });
    if (query.value.trim() === words) showFound(list, found);
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      query.value = "";
      showFound(list, []);
    }
    if (event.key === "Enter") list.querySelector("a")?.click();
  });
});
