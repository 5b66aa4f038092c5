/** Does JetStream answer there, now? */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { dialled } from "./server-address.ts";

const askLimitMs = 1_000;

/** Throws what the client throws when it does not. */
export async function jetStreamAnswers(url: string): Promise<void> {
  const connection = await connect({ ...dialled([url]), timeout: askLimitMs, reconnect: false });
  try {
    await (await jetstreamManager(connection, { timeout: askLimitMs })).getAccountInfo();
  } finally {
    await connection.close();
  }
}
