/** A coordinator as far as its NATS server is concerned; the test ends it without warning. Arguments: binary, folder. */
import { startEmbedded } from "#coordinator/nats/embedded.ts";
import { systemClock } from "#proto/common/clock.ts";

const [binary = "", folder = ""] = process.argv.slice(2);
const embedded = await startEmbedded({ binary, folder, clock: systemClock, startLimitMs: 20_000 });
process.stdout.write(`${JSON.stringify({ pid: embedded.pid(), url: embedded.url })}\n`);
setInterval(() => undefined, 60_000);
