/** What the agents said to one rollout, in order, waiting to be taken. One taker at a time. */
import type { Clock } from "#proto/common/clock.ts";
import type { ConnectRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { RolloutFact } from "../../domain/rollout/event.ts";

export type Mail =
  | {
      readonly kind: "said";
      readonly node: string;
      /** Of the stream that brought it: by now the node may have another. */
      readonly stateId: string;
      readonly message: NonNullable<ConnectRequest["message"]>;
    }
  | { readonly kind: "attached"; readonly node: string }
  | { readonly kind: "detached"; readonly node: string }
  /** A person's order, already checked and recorded in the audit log; `done` settles when it is in the log. */
  | { readonly kind: "order"; readonly fact: RolloutFact; readonly done: (stored: boolean) => void };

export class Inbox {
  readonly #mails: Mail[] = [];
  readonly #clock: Clock;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(mail: Mail): void {
    if (this.#closed) refuse(mail);
    else this.#mails.push(mail);
    this.#wake?.();
  }

  /** Nobody takes any more: who waits for an order to be stored hears that it was not. */
  close(): void {
    this.#closed = true;
    for (const mail of this.#mails.splice(0)) refuse(mail);
  }

  get waiting(): boolean {
    return this.#mails.length > 0;
  }

  /** The next mail, or undefined when none came within `limitMs` or the signal aborted. */
  async take(limitMs: number, signal: AbortSignal): Promise<Mail | undefined> {
    if (this.#mails.length === 0 && !signal.aborted && limitMs > 0) await this.#sleep(limitMs, signal);
    return signal.aborted ? undefined : this.#mails.shift();
  }

  #sleep(limitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        cancel();
        signal.removeEventListener("abort", finish);
        this.#wake = undefined;
        resolve();
      };
      const cancel = this.#clock.after(limitMs, finish);
      signal.addEventListener("abort", finish, { once: true });
      this.#wake = finish;
    });
  }
}

function refuse(mail: Mail): void {
  if (mail.kind === "order") mail.done(false);
}
