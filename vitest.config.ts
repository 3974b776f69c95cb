import { fileURLToPath } from "node:url";
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
    // A machine that is busy with other things takes many times as long: time is judged in bench/ alone.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Commands are started from their sources hundreds of times: each is compiled once.
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)),
    },
    setupFiles: ["./test/setup-properties.ts"],
    reporters: ["default", "./test/reporter.ts"],
  },
});
