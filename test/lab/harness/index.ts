// What lab suites use; everything else in this folder is how it is done.
export {
  type Availability,
  kernelHasNetem,
  labAvailable,
} from "./available.ts";
export { debsFor } from "./debs.ts";
export { dockerHost } from "./docker-host.ts";
export type { Host } from "./host.ts";
export type { JournalEntry, JournalQuery } from "./journal.ts";
export { createLab, type HostSpec, type Lab, type LabSpec } from "./lab.ts";
export { labReady } from "./ready.ts";
export { debianRoot, type RootSpec, type Suite } from "./root.ts";
export { mustRun, type RunOptions, type RunResult, run } from "./run.ts";
export type { SmallDisk } from "./small-disk.ts";
export type { Started, StartOptions } from "./started.ts";
export { describeLab, describeLongLab } from "./suite.ts";
export { until } from "./until.ts";
