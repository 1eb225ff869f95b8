// Finds links of the built site that lead nowhere: to a file that is not there, or a place that its page does not have.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/**
 * @param {string} out the folder of the site
 * @param {readonly string[]} missing folders in it that were left out on purpose
 * @returns {string[]} a line for each dead link
 */
export function faultsOfLinks(out, missing = []) {
  const files = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".html"))
    .map((entry) => join(entry.parentPath, entry.name));
  const places = new Map();
  const placesOf = (file) => {
    if (!places.has(file)) {
      const ids = [...readFileSync(file, "utf8").matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => id);
      places.set(file, new Set(ids));
    }
    return places.get(file);
  };
  const isMissing = (path) =>
    missing.some((folder) => relative(join(out, folder), path).split("/")[0] !== "..");
  return files.flatMap((file) => {
    // The pages of the API and the page check their own links; TypeDoc's places are made by its script.
    const own = !/^(api|page)\//.test(relative(out, file));
    return [
      ...new Set([...readFileSync(file, "utf8").matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, url]) => url)),
    ]
      .filter((url) => !/^(?:[a-z]+:|\/\/)/i.test(url))
      .flatMap((url) => {
        const [path, place] = decodeURI(url.replaceAll("&amp;", "&")).split("#");
        let target = path === "" ? file : resolve(dirname(file), path.split("?")[0]);
        if (existsSync(target) && statSync(target).isDirectory()) target = join(target, "index.html");
        if (isMissing(target)) return [];
        const dead = (why) => [`${relative(out, file)}: ${url} leads nowhere (${why})`];
        if (path.startsWith("/")) return dead("it is not relative");
        if (!existsSync(target)) return dead("no such file");
        if (own && place && target.endsWith(".html") && !placesOf(target).has(place))
          return dead("no such place");
        return [];
      });
  });
}
