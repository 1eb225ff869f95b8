import { defineConfig } from "vitest/config";

// Tests read the packages' sources through the private "@saunet/source" export condition: no build is needed.
const conditions = ["@saunet/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
