/** The real agent's program with the paper engine in it; bundled and run as a process by the flow tests. */
import { agentCommand } from "#agent/command.ts";
import { realDisk } from "#agent/host/disk.ts";
import { deadlyDisk } from "./deadly-disk.ts";
import { paper } from "./paper-engine.ts";

const dieAt = process.env["PAPER_DIE_AT"];
const disk = dieAt === undefined ? realDisk : deadlyDisk(realDisk, dieAt);
await agentCommand({ process, env: process.env, random: Math.random, kinds: [paper], disk });
