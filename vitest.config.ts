import { defineConfig } from "vitest/config";

// Tests read the packages' sources through the private "@saunet/source" export condition: no build is needed.
// Checks on real photographs (*.photos.test.ts) run only where `npm run check:photos` finds them.
const photos = process.env.SAUNET_PHOTOS !== undefined;

export default defineConfig({
  resolve: { conditions: ["@saunet/source"] },
  ssr: { resolve: { conditions: ["@saunet/source", "node"] } },
  test: {
    include: photos
      ? ["packages/*/src/**/*.photos.test.ts"]
      : ["packages/*/src/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"],
    exclude: photos ? [] : ["**/*.photos.test.ts", "**/node_modules/**", "**/dist/**"],
    maxWorkers: 2,
    testTimeout: photos ? 300_000 : 60_000,
  },
});
