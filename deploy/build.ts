/** `make build`: dist, made anew. */
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleInto } from "./bundle.ts";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
await rm(dist, { recursive: true, force: true });
await bundleInto(dist);
