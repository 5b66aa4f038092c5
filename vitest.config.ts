import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
    projects: [
      project("unit", ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"], 120_000),
      project("contract", ["test/contract/**/*.test.ts"], 60_000),
      project("flow", ["test/flow/**/*.test.ts"], 300_000),
      project("lab", ["test/lab/**/*.test.ts"], 600_000),
    ],
  },
});
