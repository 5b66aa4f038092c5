// How a test file asks for real hosts: its tests run where a lab can be had, and are reported as skipped, with the
// reason, where not. They never pass unseen.
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
