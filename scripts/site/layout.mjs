// The frame of every page: header with search and theme, the chapters of the book, the text, the way on.

import { dirname, posix } from "node:path";

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** What stands after the title of a page in the browser's tab. */
const SITE = "saunet";

/**
 * @param {object} page
 * @param {string} page.content the page's text as HTML
 * @param {string} page.out where the page lies in the site
 * @param {string} page.document the file that it was made of
 * @param {readonly { name: string, title: string }[]} page.chapters
 */
export function layout({ content, out, document, chapters }) {
  const to = (path) => posix.relative(dirname(out), path);
  const heading = /<h1[^>]*>(.*?)<\/h1>/s.exec(content)?.[1] ?? SITE;
  const title = heading.replace(/<[^>]*>/g, "");
  const inBook = document.startsWith("docs/book/");
  const isHome = out === "index.html";
  const current = (path) => (path === out ? ' aria-current="page"' : "");
  const item = (path, words) => `<li><a href="${to(path)}"${current(path)}>${words}</a></li>`;
  const chapterPath = ({ name }) => `docs/book/${name}.html`;
  const contents = [
    item("docs/book/README.html", "About the book"),
    ...chapters.map((chapter) => item(chapterPath(chapter), escaped(chapter.title))),
    item("docs/book/glossary.html", "Glossary and index"),
  ].join("\n");
  const side = inBook
    ? `<nav class="contents" aria-label="Chapters"><details><summary>Chapters</summary><ul>${contents}</ul></details></nav>`
    : "";
  const here = chapters.findIndex((chapter) => chapterPath(chapter) === out);
  const step = (chapter, rel, words) =>
    chapter === undefined
      ? ""
      : `<a rel="${rel}" href="${to(chapterPath(chapter))}"><small>${words}</small>${escaped(chapter.title)}</a>`;
  const first = document === "docs/book/README.md" ? step(chapters[0], "next", "Begin") : "";
  const ways =
    here < 0 ? first : step(chapters[here - 1], "prev", "Before") + step(chapters[here + 1], "next", "Next");
  const kind = isHome ? "home" : inBook ? "book" : "document";
  const tab = (path, words, active) =>
    `<a href="${to(path)}"${active ? ' aria-current="true"' : ""}>${words}</a>`;
  return `<!doctype html>
<html lang="en" data-theme="system" data-root="${to(".") || "."}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${isHome ? SITE : `${title} · ${SITE}`}</title>
<link rel="icon" href="${to("assets/icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${to("assets/katex.min.css")}">
<link rel="stylesheet" href="${to("assets/base.css")}">
<link rel="stylesheet" href="${to("assets/book.css")}">
<script src="${to("assets/client.js")}"></script>
</head>
<body class="${kind}">
<a class="skip-link" href="#text">To the text</a>
<header class="top">
<a class="wordmark" href="${to("index.html")}"><img src="${to("assets/icon.svg")}" alt="" width="24" height="24"><span>saunet</span></a>
<nav aria-label="Site">${tab("docs/book/README.html", "Book", inBook)}${tab("page/index.html", "Page", false)}${tab("api/index.html", "API", false)}${tab("docs/performance.html", "Benchmarks", out === "docs/performance.html")}</nav>
<search><input id="query" type="search" placeholder="Search" aria-label="Search the site" autocomplete="off"><ol id="found" hidden></ol></search>
<button id="theme" type="button" hidden>Theme</button>
</header>
<div class="columns">
${side}
<main id="text">
${content}
${ways === "" ? "" : `<nav class="ways" aria-label="Reading order">${ways}</nav>`}
</main>
</div>
</body>
</html>
`;
}
