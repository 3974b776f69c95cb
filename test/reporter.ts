// Ends a run with the plain line `N passed, N failed, N skipped`, which every CI can read,
// after the reasons given for skipped tests: a skip is never silent.

import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    const skips = new Set<string>();
    for (const module of modules) {
      if (module.children.size === 0 && module.state() === "failed") count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "pending") continue;
        count[state]++;
        if (state === "skipped") skips.add(`${module.relativeModuleId}: ${test.fullName}`);
      }
    }
    for (const name of skips) console.log(`skipped: ${name}`);
    const failed = count.failed + errors.length;
    console.log(`\n${count.passed} passed, ${failed} failed, ${count.skipped} skipped`);
  }
}
