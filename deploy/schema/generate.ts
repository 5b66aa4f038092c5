/**
 * JSON Schemas of the three files that people write, for their editors. Made from the schemas that the product
 * itself reads them by; `deploy/lint.sh` says when the stored ones are old. Argument: the folder to write to.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { configSchema as agentSchema } from "#agent/config.ts";
import { engineKinds } from "#agent/engines/index.ts";
import { configSchema as coordinatorSchema } from "#coordinator/config.ts";
import { inventorySchema } from "#coordinator/inventory/schema.ts";

const files: readonly (readonly [name: string, title: string, schema: z.ZodType])[] = [
  ["inventory", "The fleet: what `lockkeeper cluster apply` reads", inventorySchema],
  ["agent", "/etc/lockkeeper/agent.yaml", agentSchema(engineKinds)],
  ["coordinator", "/etc/lockkeeper/coordinator.yaml", coordinatorSchema],
];

const folder = process.argv[2] ?? fileURLToPath(new URL(".", import.meta.url));
await mkdir(folder, { recursive: true });
for (const [name, title, schema] of files) {
  // as people write it, before defaults and durations are read
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    override: ({ jsonSchema }) => dropOwnFormat(jsonSchema),
  });
  await writeFile(
    join(folder, `${name}.schema.json`),
    `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`,
  );
}

/** A format that only zod knows: an editor would complain of it, and its pattern says the same. */
function dropOwnFormat(schema: { format?: string | undefined }): void {
  if (schema.format === "starts_with") delete schema.format;
}
