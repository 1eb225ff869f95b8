// The libraries that build the site, resolved from here, where they are installed.

export { default as Eleventy } from "@11ty/eleventy";
export { katex } from "@mdit/plugin-katex";
export { default as anchor } from "markdown-it-anchor";
export { default as MiniSearch } from "minisearch";
export { createHighlighter } from "shiki";
