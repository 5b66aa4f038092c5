/** Certificates under the vendor's names, by openssl: one authority for a cluster, its root client, and each node's own. */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const days = "2";

async function openssl(folder: string, ...words: readonly string[]): Promise<void> {
  await run("openssl", [...words], { cwd: folder });
}

/** Fills `folder` with ca.crt, ca.key and the client of root. */
export async function makeAuthority(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const own = ["-subj", "/O=stand-in/CN=Stand-in CA", "-days", days, "-keyout", "ca.key", "-out", "ca.crt"];
  await openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", ...own);
  await sign(folder, folder, { name: "client.root", subject: "/O=stand-in/CN=root", usage: "clientAuth" });
  return folder;
}

/** Fills `folder` with all that a node's --certs-dir holds, for these addresses and the loopback. */
export async function makeNodeCerts(
  authority: string,
  folder: string,
  ips: readonly string[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = ["DNS:localhost", ...[...new Set(["127.0.0.1", ...ips])].map((ip) => `IP:${ip}`)];
  const usage = "serverAuth,clientAuth";
  await sign(authority, folder, { name: "node", subject: "/O=stand-in/CN=node", usage, names });
  for (const file of ["ca.crt", "client.root.crt", "client.root.key"])
    await copyFile(path.join(authority, file), path.join(folder, file));
  for (const file of (await readdir(folder)).filter((each) => each.endsWith(".key")))
    await chmod(path.join(folder, file), 0o600);
}

interface Request {
  readonly name: string;
  readonly subject: string;
  readonly usage: string;
  readonly names?: readonly string[];
}

async function sign(
  authority: string,
  folder: string,
  { name, subject, usage, names }: Request,
): Promise<void> {
  const lines = [
    `extendedKeyUsage=${usage}`,
    ...(names === undefined ? [] : [`subjectAltName=${names.join(",")}`]),
  ];
  await writeFile(path.join(folder, `${name}.ext`), `${lines.join("\n")}\n`);
  const asked = [
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    subject,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
  ];
  await openssl(folder, "req", ...asked);
  const by = [
    "-CA",
    path.join(authority, "ca.crt"),
    "-CAkey",
    path.join(authority, "ca.key"),
    "-CAcreateserial",
  ];
  const what = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-days", days, "-extfile", `${name}.ext`];
  await openssl(folder, "x509", "-req", ...what, ...by);
}
