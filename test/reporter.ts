/**
 * Closes a run with one plain line of counts over all projects. Before it every skipped test is named with its
 * reason, every test that passed only in a second try with what the first has failed of, and what has failed
 * last: who has only the end of a log reads it there.
 */
import type { Reporter, TestModule } from "vitest/node";

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures: string[] = [];
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "pending") continue;
        counts[result.state] += 1;
        if (result.state === "skipped")
          console.log(`skipped: ${[test.fullName, result.note].filter(Boolean).join(": ")}`);
        if (result.state === "failed")
          failures.push(
            `failed: ${module.relativeModuleId}: ${test.fullName}: ${result.errors.map(told).join("; ")}`,
          );
        if (test.diagnostic()?.flaky === true)
          console.log(`passed in a second try: ${test.fullName}: ${firstLine(result.errors?.[0]?.message)}`);
      }
      // a file that fails outside its tests (a hook, an import) would count as nothing
      if (module.state() === "failed" && counts.failed === failedBefore) {
        counts.failed += 1;
        failures.push(`failed: ${module.relativeModuleId}: ${module.errors().map(told).join("; ")}`);
      }
    }
    for (const error of unhandled) failures.push(`thrown outside of every test: ${told(error)}`);
    for (const failure of failures) console.log(failure);
    console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

/** Of each try its message, cut short: what a compared text holds may be long. */
function told({ message }: { readonly message: string }): string {
  return message.slice(0, 500);
}

function firstLine(text = "it said nothing"): string {
  return text.split("\n")[0] ?? "";
}
