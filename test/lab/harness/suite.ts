// How a test file asks for real hosts: its tests run where a lab can be had, and are reported as skipped, with the
// reason, where not. They never pass unseen. Long ones run in make lab and make test-full.
import { describe, it } from "vitest";
import { labReady } from "./ready.ts";

/** Why a suite cannot run here though hosts boot; undefined where it can. */
export type Lack = () => Promise<string | undefined>;

/** `describe` for the lab: `body` is only called where hosts can boot and nothing lacks. Awaited at the top of a test file. */
export async function describeLab(title: string, body: () => void, lack?: Lack): Promise<void> {
  const available = await labReady();
  const reason = available.ok ? await lack?.() : available.reason;
  if (reason === undefined) describe(title, body);
  else it.skipIf(true)(`${title}: ${reason}`, () => {});
}

/** `describeLab` for what takes minutes: skipped, and said so, where only a short run was asked for. */
export async function describeLongLab(title: string, body: () => void, lack?: Lack): Promise<void> {
  if (process.env["LOCKKEEPER_TEST_FULL"] === "1") return describeLab(title, body, lack);
  it.skipIf(true)(`${title}: runs in make lab and make test-full`, () => {});
}
