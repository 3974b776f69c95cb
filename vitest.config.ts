import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // A cluster of its own takes minutes: npm run test:cluster.
    exclude: ["test/cluster/**"],
    // Two cores in CI: more workers only wait for each other.
    maxWorkers: 2,
    // V8 of Node 24 loses track of compiled pages when threads come and go on processors with memory
    // protection keys, and ends the process ("jit_page.has_value()"; nodejs/node issue 64500).
    execArgv: ["--no-memory-protection-keys"],
    testTimeout: 20_000,
    reporters: ["default", "./test/reporter.ts"],
  },
});
