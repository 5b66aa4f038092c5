/** The real agent's program with the paper engine in it; bundled and run as a process by the flow tests. */
import { agentCommand } from "#agent/command.ts";
import { paper } from "./paper-engine.ts";

await agentCommand({ process, env: process.env, random: Math.random, kinds: [paper] });
