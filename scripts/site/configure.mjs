// How Eleventy makes the site: every document of the repository is a page at its own path, the chapters of the book are
// expanded first, and every source file that a page links to is a page too. So links between documents stay as they are,
// except for the file extension.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { openBook } from "../book/load.mjs";
import { root } from "../workspace.mjs";
import { layout } from "./layout.mjs";

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "packages", "bench", "examples"];
const SOURCES = /\.(ts|tsx|mjs|js|py|txt|html|css|json)$/;
const LARGEST_SOURCE = 200_000;
const HOME = "docs/index.md";
/** Parts of the site that have no Markdown. */
const OWN = /^(api|page)\//;
const THEMES = { light: "github-light-high-contrast", dark: "github-dark-high-contrast" };
const LANGUAGES = {
  ts: "ts",
  tsx: "tsx",
  mjs: "js",
  js: "js",
  py: "python",
  html: "html",
  css: "css",
  json: "json",
};

/** Everything that the repository says in Markdown. */
function documents() {
  const skipped = /(^|\/)(node_modules|dist|api)(\/|$)/;
  const within = (path) => {
    if (skipped.test(path)) return [];
    if (statSync(join(root, path)).isFile()) return path.endsWith(".md") ? [path] : [];
    return readdirSync(join(root, path)).flatMap((name) => within(join(path, name)));
  };
  return DOCUMENTS.flatMap(within);
}

/** The file that a link of a document means, or undefined where it leaves the repository. */
function targetOf(from, href) {
  if (/^[a-z]+:/i.test(href) || href.startsWith("#")) return undefined;
  return posix.join(dirname(from), href.replace(/#.*$/, "")).replace(/\/$/, "");
}

/** Source files that documents link to or cut from. */
function linkedSources(texts, cutsIn) {
  const found = new Set();
  for (const [path, text] of texts) {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, href]) => targetOf(path, href));
    for (const target of [...links, ...cutsIn(text).map((each) => each.path)]) {
      if (target === undefined || !SOURCES.test(target) || !existsSync(join(root, target))) continue;
      if (statSync(join(root, target)).size <= LARGEST_SOURCE) found.add(target);
    }
  }
  return found;
}

/** Where the page of a file lies in the site. */
const outOf = (path) => (path === HOME ? "index.html" : `${path.replace(/\.md$/, "")}.html`);

/**
 * @param libraries what scripts/tools/site brings beside Eleventy
 * @param {string} modules the folder that they are installed in
 */
export async function configure({ anchor, createHighlighter, katex }, modules) {
  const opened = await openBook();
  const book = await opened.load("scripts/book/chapter.ts");
  const highlighter = await createHighlighter({
    themes: Object.values(THEMES),
    langs: ["ts", "js", "tsx", "python", "sh", "html", "css", "json"],
  });
  const paths = documents();
  const texts = new Map(paths.map((path) => [path, readFileSync(join(root, path), "utf8")]));
  const sources = linkedSources(texts, book.cutsIn);
  const pages = new Set([...paths, ...sources]);
  const terms = new Set(book.glossaryTerms());
  const chapters = book.chapterNames().map((name) => {
    const text = book.chapterText(name);
    return { name, title: /^# (.+)$/m.exec(text)[1], terms: book.termsIn(text) };
  });
  const facts = new Map();
  for (const { name } of chapters) facts.set(name, await opened.load(`docs/book/${name}.ts`));

  const picture = (from, src) =>
    /^[a-z]+:/i.test(src) ? src : posix.relative(dirname(outOf(from)), targetOf(from, src));
  /** A link as the page of a document has it, or undefined where the site has no such page. */
  const rewritten = (from, href) => {
    const target = targetOf(from, href);
    if (target === undefined) return href;
    if (OWN.test(target)) return posix.relative(dirname(outOf(from)), target);
    if (/\.(png|jpe?g|svg)$/.test(target)) return href;
    const page = [target, posix.join(target, "README.md")].find((each) => pages.has(each));
    const place = /#.*$/.exec(href)?.[0] ?? "";
    return page && posix.relative(dirname(outOf(from)), outOf(page)) + place;
  };
  const withLinks = (html, from) =>
    html
      .replace(/<img src="([^"]*)"/g, (_, src) => `<img src="${picture(from, src)}"`)
      .replace(/<a ([^>]*?)href="([^"]*)"([^>]*)>(.*?)<\/a>/gs, (whole, before, href, after, words) => {
        const url = rewritten(from, href);
        if (url === href) return whole;
        return url === undefined ? words : `<a ${before}href="${url}"${after}>${words}</a>`;
      });
  const highlight = (code, lang) =>
    highlighter.codeToHtml(code.trimEnd(), {
      lang: highlighter.getLoadedLanguages().includes(lang) ? lang : "text",
      themes: THEMES,
      defaultColor: "light-dark()",
      // The frame of the code has the page's own ground.
      transformers: [{ pre: (node) => void delete node.properties.style }],
    });

  return (eleventy) => {
    eleventy.amendLibrary("md", (markdown) => {
      markdown.set({ html: true, highlight });
      markdown.use(anchor, { slugify: book.slug, permalink: anchor.permalink.headerLink() });
      markdown.use(katex, { output: "htmlAndMathml", throwOnError: true, strict: "error" });
    });
    // Documents are Markdown alone: braces in them are braces.
    const options = (path) => ({ permalink: outOf(path), document: path, templateEngineOverride: "md" });
    for (const [path, text] of texts) {
      const name = /^docs\/book\/(\d\d-.*)\.md$/.exec(path)?.[1];
      const content =
        path === "docs/book/glossary.md"
          ? book.withIndex(text, chapters)
          : name === undefined
            ? text
            : book.expand(name, text, facts.get(name), terms);
      eleventy.addTemplate(`${path.replace(/\W/g, "-")}.md`, content, options(path));
    }
    for (const path of sources) {
      const language = LANGUAGES[/\.(\w+)$/.exec(path)[1]];
      const html = highlight(readFileSync(join(root, path), "utf8"), language);
      eleventy.addTemplate(`${path.replace(/\W/g, "-")}.md`, `# \`${path}\`\n\n${html}`, options(path));
    }
    const documentOf = new Map([...pages].map((path) => [outOf(path), path]));
    eleventy.addTransform("page", function (content) {
      const document = documentOf.get(this.page.url.slice(1)) ?? HOME;
      return layout({ content: withLinks(content, document), out: outOf(document), document, chapters });
    });
    const from = (name, to) => ({ [relative(root, join(modules, name))]: `assets/${to}` });
    eleventy.addPassthroughCopy({
      "docs/images": "docs/images",
      "docs/*.svg": "docs",
      "scripts/site/book.css": "assets/book.css",
      "scripts/site/client.js": "assets/client.js",
      "packages/web/src/styles/base.css": "assets/base.css",
      "packages/web/public/icon.svg": "assets/icon.svg",
      ...from("katex/dist/katex.min.css", "katex.min.css"),
      ...from("katex/dist/fonts/*.woff2", "fonts"),
      ...from("minisearch/dist/umd/index.js", "minisearch.js"),
    });
  };
}
