// How a test file asks for real hosts: its tests run where a lab can be had, and are reported as skipped, with the
// reason, where not. They never pass unseen. Long ones run in make lab and make test-full.
import { describe, it } from "vitest";
import { labReady } from "./ready.ts";

/** `describe` for the lab: `body` is only called where hosts can boot. Awaited at the top of a test file. */
export async function describeLab(title: string, body: () => void): Promise<void> {
  const available = await labReady();
  if (available.ok) {
    describe(title, body);
    return;
  }
  it.skipIf(true)(`${title}: ${available.reason}`, () => {});
}

/** `describeLab` for what takes minutes: skipped, and said so, where only a short run was asked for. */
export async function describeLongLab(title: string, body: () => void): Promise<void> {
  if (process.env["LOCKKEEPER_TEST_FULL"] === "1") return describeLab(title, body);
  it.skipIf(true)(`${title}: runs in make lab and make test-full`, () => {});
}
