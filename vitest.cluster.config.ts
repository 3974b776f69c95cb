import { defineConfig } from "vitest/config";

// Tests that start a whole cluster: minutes instead of seconds, so `npm test` leaves them out.
export default defineConfig({
  test: {
    include: ["test/cluster/**/*.test.ts"],
    // Each file has a cluster of its own; they share the processors.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default", "./test/reporter.ts"],
  },
});
