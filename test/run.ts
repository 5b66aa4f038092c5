/**
 * Runs the tests of the given projects and files, all without any. A file of real processes that has failed is run once more when all
 * others are done, from its first line: on a machine that others use too a wait may have been cut, and what a failed test has left is
 * gone then. Whatever fails in both, or is not of that kind, fails the run.
 */
import { createVitest, parseCLI, type TestModule } from "vitest/node";
import ClosingLine from "./reporter.ts";

/** On a clock of their own, or on none: what fails once there is wrong. */
const noSecondRun = new Set(["unit", "flow"]);
/** With more of them it is no moment of the machine's. */
const mostFiles = 6;

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await createVitest("test", {
  ...options,
  watch: false,
  reporters: ["default", new ClosingLine()],
});
await vitest.start(filter);
const failed = vitest.state.getTestModules().filter((module) => !module.ok());
if (vitest.state.getUnhandledErrors().length === 0 && isWorthIt(failed)) {
  process.exitCode = 0;
  await vitest.runTestSpecifications(failed.map((module) => module.toTestSpecification()));
}
await vitest.close();

function isWorthIt(modules: readonly TestModule[]): boolean {
  return (
    modules.length > 0 &&
    modules.length <= mostFiles &&
    modules.every(({ project }) => !noSecondRun.has(project.name))
  );
}
