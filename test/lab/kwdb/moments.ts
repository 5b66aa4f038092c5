// Named moments of a node's upgrade, watched for on the host itself, so that a fault can be put into them.
import type { KwdbNode } from "./node.ts";

export type Moment = keyof typeof waits;

const limitMs = 120_000;
const mainPid = "$(systemctl show --property MainPID --value kaiwudb)";

/** Each ends when its moment has come. */
const waits = {
  "between stop and deploy.sh": `until [ "${mainPid}" = 0 ]; do :; done`,
  "in mid deploy.sh": "until pgrep -f '[d]pkg -i ./kaiwudb-server' >/dev/null; do sleep 0.02; done",
  "after start, before ready": `until [ "${mainPid}" = 0 ]; do :; done; while [ "${mainPid}" = 0 ]; do :; done`,
} as const;

/** Waits until the node's upgrade is at the moment; answers with the time of this machine, which the hosts share. */
export async function untilMoment({ host }: KwdbNode, moment: Moment): Promise<Date> {
  await host.must(["sh", "-c", waits[moment]], { timeoutMs: limitMs });
  return new Date();
}
