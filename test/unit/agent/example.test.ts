import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readConfig } from "#agent/config.ts";
import { engineKinds } from "#agent/engines/index.ts";

const file = new URL("../../../deploy/agent.example.yaml", import.meta.url);

it("the example file is one that an agent takes, and shows the defaults as they are", () => {
  const text = readFileSync(file, "utf8");
  const whole = readConfig(text, "agent.example.yaml", engineKinds);
  const least = readConfig(text.slice(0, text.indexOf("# What follows")), "agent.example.yaml", engineKinds);
  expect(whole.ok && whole.value).toEqual(least.ok && least.value);
  expect(whole.ok).toBe(true);
});
