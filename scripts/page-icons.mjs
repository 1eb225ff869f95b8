// Draws the page's icons as PNG from packages/web/public/icon.svg, in the sizes that installed apps are shown in.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "./workspace.mjs";

const web = join(root, "packages/web");
const sharp = createRequire(join(web, "package.json"))("sharp");
const svg = readFileSync(join(web, "public/icon.svg"));

/** A maskable icon is cut to any shape by the system: what matters lies in its inner 80 %. */
const MASKABLE_SHARE = 0.78;
const GROUND = "#faf9f6";

const draw = (size) =>
  sharp(svg, { density: (72 * size) / 64 })
    .resize(size, size)
    .png({ palette: true });

for (const size of [192, 512]) await draw(size).toFile(join(web, `public/icon-${size}.png`));
const inner = Math.round(512 * MASKABLE_SHARE);
await sharp({ create: { width: 512, height: 512, channels: 3, background: GROUND } })
  .composite([{ input: await draw(inner).toBuffer() }])
  .png({ palette: true })
  .toFile(join(web, "public/icon-maskable.png"));
