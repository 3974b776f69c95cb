import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // A cluster of its own takes minutes: npm run test:cluster.
    exclude: ["test/cluster/**"],
    // Two cores in CI: more workers only wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    reporters: ["default", "./test/reporter.ts"],
  },
});
