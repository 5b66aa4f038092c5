/** The agent's program. The only place that touches the process, its randomness and its environment. */
import { agentCommand } from "./command.ts";
import { engineKinds } from "./engines/index.ts";
import { realDisk } from "./host/disk.ts";

await agentCommand({ process, env: process.env, random: Math.random, kinds: engineKinds, disk: realDisk });
