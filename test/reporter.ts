/**
 * Closes a run with one plain line of counts over all projects, and names every skipped test with its
 * reason and every test that passed only in a second try, with what the first has failed of.
 */
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "pending") continue;
        counts[result.state] += 1;
        if (result.state === "skipped")
          console.log(`skipped: ${[test.fullName, result.note].filter(Boolean).join(": ")}`);
        if (test.diagnostic()?.flaky === true)
          console.log(`passed in a second try: ${test.fullName}: ${firstLine(result.errors?.[0]?.message)}`);
      }
      // a file that fails outside its tests (a hook, an import) would count as nothing
      if (module.state() === "failed" && counts.failed === failedBefore) counts.failed += 1;
    }
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

function firstLine(text = "it said nothing"): string {
  return text.split("\n")[0] ?? "";
}
