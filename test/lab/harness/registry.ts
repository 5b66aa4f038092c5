// What must not outlive this process. Hosts die with it by the kernel's doing; this takes their mounts and networks
// away as well, when the process ends by itself or by a polite signal. A killed one leaves that to the next lab.
import { type LabPlace, sweep } from "./sweep.ts";

const open = new Set<LabPlace>();
let isArmed = false;

export function sweepAtExit(place: LabPlace): void {
  open.add(place);
  if (isArmed) return;
  isArmed = true;
  process.on("exit", sweepAll);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      sweepAll();
      process.kill(process.pid, signal);
    });
  }
}

export function forgetAtExit(place: LabPlace): void {
  open.delete(place);
}

function sweepAll(): void {
  for (const place of open) sweep(place);
  open.clear();
}
