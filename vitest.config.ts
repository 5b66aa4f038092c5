import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    // most tests wait for processes of theirs: of two cores the default leaves one idle
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ["default", "./test/reporter.ts"],
    projects: [
      project("unit", ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"], 120_000),
      project("contract", ["test/contract/**/*.test.ts"], 60_000),
      project("flow", ["test/flow/{engine,lock}/**/*.test.ts"], 300_000),
      project("processes", ["test/flow/{agent,cli,documents,processes}/**/*.test.ts"], 300_000),
      project("lab", ["test/lab/**/*.test.ts"], 600_000),
    ],
  },
});
