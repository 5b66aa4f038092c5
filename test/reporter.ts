/**
 * Closes a run with one plain line of counts over all projects. Before it every skipped test is named with its reason, and what has
 * failed last, with what it has failed of: who has only the end of a log reads it there. After the second run of some files the counts
 * are those of all files, each by its last run, and what failed in the first alone is named.
 */
import type { Reporter, TestModule } from "vitest/node";

interface Told {
  readonly passed: number;
  readonly skipped: readonly string[];
  readonly failures: readonly string[];
}

export default class ClosingLine implements Reporter {
  readonly #modules = new Map<string, Told>();

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    for (const module of modules) {
      const key = `${module.project.name} ${module.relativeModuleId}`;
      const now = toldOf(module);
      const before = this.#modules.get(key);
      this.#modules.set(key, now);
      for (const line of before === undefined ? now.skipped : []) console.log(`skipped: ${line}`);
      if (now.failures.length === 0)
        for (const line of before?.failures ?? []) console.log(`passed in a second run of its file: ${line}`);
    }
    const all = [...this.#modules.values()];
    const failures = [
      ...all.flatMap((module) => module.failures.map((line) => `failed: ${line}`)),
      ...unhandled.map((error) => `failed: outside of every test: ${firstOf(error)}`),
    ];
    for (const line of failures) console.log(line);
    const passed = all.reduce((sum, module) => sum + module.passed, 0);
    const skipped = all.reduce((sum, module) => sum + module.skipped.length, 0);
    console.log(`\n${passed} passed, ${failures.length} failed, ${skipped} skipped`);
  }
}

function toldOf(module: TestModule): Told {
  const all = [...module.children.allTests()].map((test) => ({ name: test.fullName, result: test.result() }));
  const failures = all.flatMap(({ name, result }) =>
    result.state === "failed"
      ? [`${module.relativeModuleId}: ${name}: ${result.errors.map(firstOf).join("; ")}`]
      : [],
  );
  // a file that fails outside its tests (a hook, an import) would count as nothing
  const isWholeFile = module.state() === "failed" && failures.length === 0;
  return {
    passed: all.filter(({ result }) => result.state === "passed").length,
    skipped: all.flatMap(({ name, result }) =>
      result.state === "skipped" ? [[name, result.note].filter(Boolean).join(": ")] : [],
    ),
    failures: isWholeFile
      ? [`${module.relativeModuleId}: ${module.errors().map(firstOf).join("; ")}`]
      : failures,
  };
}

/** What a compared text holds may be long. */
function firstOf({ message }: { readonly message: string }): string {
  return message.slice(0, 500);
}
