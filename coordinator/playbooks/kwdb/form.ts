/** How a cluster's nodes are installed, as their agents tell it: the inventory's word covers several forms. */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { Container, Form } from "#proto/engines/kwdb.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames } from "./facts.ts";

type Asked = Pick<PlaybookInput, "cluster" | "reports">;

/** Containers made by the operator are documented for a single node only. */
const standaloneOnly: ReadonlySet<Form> = new Set(["compose", "docker-run"]);

/** Refused: `kwdb.form-unknown`, `kwdb.forms-differ`, `kwdb.form-not-served`. */
export function formOf({ cluster, reports }: Asked): Outcome<Form> {
  const { name, deployment, topology } = cluster;
  if (deployment !== "container") return succeed(deployment === "compiled" ? "compiled" : "script");
  const forms = nodeNames(cluster).map((node) => known(fullOf(reports[node])?.form));
  const [form] = forms;
  if (form === undefined || forms.includes(undefined)) return fail("kwdb.form-unknown", { cluster: name });
  if (new Set(forms).size > 1)
    return fail("kwdb.forms-differ", { cluster: name, forms: [...new Set(forms)].join(", ") });
  if (form === "script" || form === "compiled")
    return fail("kwdb.form-not-container", { cluster: name, form });
  return standaloneOnly.has(form) && topology !== "standalone"
    ? fail("kwdb.form-not-served", { cluster: name, form, topology })
    : succeed(form);
}

export function containerOf({ reports }: Asked, node: string): Container | undefined {
  return known(fullOf(reports[node])?.container);
}

/** An image may come from a registry only where no deploy.sh wants a package. */
export function takesImages(form: Form): boolean {
  return standaloneOnly.has(form);
}
