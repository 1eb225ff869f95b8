// Draws docs/images/first-picture.png from what `npm start` writes: the built-in photograph beside its overlay.

import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./workspace.mjs";

const SIDE = 440;

const sharp = createRequire(join(root, "packages/data/package.json"))("sharp");
const out = mkdtempSync(join(tmpdir(), "saunet-picture-"));
const code = run(process.execPath, [join(root, "scripts/start.mjs"), "-o", out]);
if (code !== 0) process.exit(code);
const pictures = await Promise.all(
  ["photograph", "overlay"].map((kind) =>
    sharp(join(out, `synthetic-${kind}.png`))
      .resize(SIDE, SIDE)
      .toBuffer(),
  ),
);
await sharp({ create: { width: 2 * SIDE, height: SIDE, channels: 3, background: "black" } })
  .composite(pictures.map((input, i) => ({ input, left: i * SIDE, top: 0 })))
  .png({ compressionLevel: 9, palette: true, quality: 90 })
  .toFile(join(root, "docs/images/first-picture.png"));
rmSync(out, { recursive: true, force: true });
