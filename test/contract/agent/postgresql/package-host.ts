/**
 * A host of a test with a real apt and a real dpkg, in a folder of its own, and an archive of tiny packages that are built for it. No
 * root is needed: dpkg is told that it has none, and scripts of packages run outside of the folder, which they find in DPKG_ROOT.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packageVerbs } from "#agent/engines/postgresql/packages/index.ts";
import { type PostgresqlSettings, postgresqlSettings } from "#agent/engines/postgresql/settings.ts";
import { localHost } from "#agent/host/local-host.ts";
import type { Host, Probe, StepContext, StepResult, ToolRequest, ToolRun } from "#agent/verb.ts";
import { systemClock } from "#proto/common/clock.ts";
import type { Facts } from "#proto/common/failure.ts";

/** Why there is no such host here; undefined where there is. */
export const lackOfApt = ["apt-get", "dpkg-deb"].find(
  (tool) => spawnSync(tool, ["--version"]).error !== undefined,
);

export interface Package {
  readonly name: string;
  readonly version?: string;
  /** Further fields of its control file. */
  readonly fields?: Readonly<Record<string, string>>;
  /** By path: their text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Scripts by name: postinst, prerm … */
  readonly scripts?: Readonly<Record<string, string>>;
}

export class PackageHost {
  readonly root: string;
  readonly host: Host;
  readonly ran: string[][] = [];
  readonly told: Facts[] = [];
  readonly #archive: string;
  readonly #index: string[] = [];

  constructor() {
    const base = mkdtempSync(path.join(tmpdir(), "lockkeeper-apt-"));
    this.root = path.join(base, "root");
    this.#archive = path.join(base, "archive");
    const folders = [
      ...["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial", "var/log/apt", "tmp"],
      ...["var/cache/apt/archives/partial", "etc/apt/preferences.d", "etc/apt/apt.conf.d", "usr/sbin"],
    ];
    for (const folder of [...folders.map((each) => path.join(this.root, each)), this.#archive])
      mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(this.root, "var/lib/dpkg/status"), "");
    writeFileSync(
      path.join(this.root, "etc/apt/sources.list"),
      `deb [trusted=yes] file:${this.#archive} ./\n`,
    );
    const config = path.join(base, "apt.conf");
    writeFileSync(config, 'Dir::Etc::Parts "/dev/null";\nAPT::Sandbox::User "";\n');
    const env = {
      PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
      HOME: base,
      APT_CONFIG: config,
      DPKG_FORCE: "not-root,script-chrootless,bad-path",
    };
    const stateDir = path.join(base, "agent");
    this.host = localHost({
      hostRoot: this.root,
      stateDir,
      clock: systemClock,
      env,
      asUser: (_, argv) => argv,
    });
  }

  [Symbol.dispose](): void {
    rmSync(path.dirname(this.root), { recursive: true, force: true });
  }

  /** Builds it and puts it into the archive; `update` makes it known. */
  offer({ name, version = "1.0", fields = {}, files = {}, scripts = {} }: Package): void {
    const folder = mkdtempSync(path.join(tmpdir(), "lockkeeper-deb-"));
    const put = (file: string, text: string, mode: number) => {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), text, { mode });
    };
    const control = Object.entries({
      Package: name,
      Version: version,
      Architecture: "all",
      Maintainer: "nobody <nobody@localhost>",
      ...fields,
      Description: "of a test",
    })
      .map(([field, value]) => `${field}: ${value}\n`)
      .join("");
    put("DEBIAN/control", control, 0o644);
    put(`usr/share/${name}/it`, version, 0o644);
    for (const [file, text] of Object.entries(files)) put(file, text, 0o644);
    for (const [file, text] of Object.entries(scripts))
      put(`DEBIAN/${file}`, `#!/bin/sh\nset -e\n${text}\n`, 0o755);
    chmodSync(folder, 0o755);
    const file = `${name}_${version}.deb`;
    const whole = path.join(this.#archive, file);
    execFileSync("dpkg-deb", ["--root-owner-group", "-b", folder, whole], { stdio: "pipe" });
    rmSync(folder, { recursive: true });
    const digest = createHash("sha256").update(readFileSync(whole)).digest("hex");
    this.#index.push(`${control}Filename: ./${file}\nSize: ${statSync(whole).size}\nSHA256: ${digest}\n`);
  }

  /** `apt-get update`. */
  async update(): Promise<void> {
    writeFileSync(path.join(this.#archive, "Packages"), this.#index.join("\n"));
    await this.#apt("update");
  }

  /** As somebody else who works on this host. */
  async install(...names: readonly string[]): Promise<void> {
    await this.#apt("-y", "install", ...names);
  }

  async remove(...names: readonly string[]): Promise<void> {
    await this.#apt("-y", "remove", ...names);
  }

  /** By name: `version` of what is installed, and its state where it is another. */
  get installed(): Readonly<Record<string, string>> {
    const fields = ["Package", "Version", "db:Status-Status"].map((field) => `\${${field}}`);
    const words = [`--root=${this.root}`, "-W", "-f", `${fields.join(" ")}\\n`];
    const lines = execFileSync("dpkg-query", words, { stdio: ["ignore", "pipe", "ignore"] }).toString();
    const rows = lines.split("\n").filter((line) => line !== "");
    return Object.fromEntries(
      rows.map((line) => {
        const [name = "", version = "", state] = line.split(" ");
        return [name, state === "installed" ? version : `${version} ${state}`];
      }),
    );
  }

  means(
    packages: readonly string[] | undefined,
    more: object = {},
  ): { readonly settings: PostgresqlSettings } {
    return {
      settings: postgresqlSettings.parse({
        tools: "/tools",
        ...(packages === undefined ? {} : { packages }),
        ...more,
      }),
    };
  }

  /** A verb of packages, done as a step; `rollout` is r1 unless told. */
  verb(name: string, means: { readonly settings: PostgresqlSettings }, rollout = "r1") {
    const verb = packageVerbs(means).find((each) => each.name === `postgresql.${name}`);
    if (verb === undefined) throw new Error(`no verb ${name}`);
    const context = {
      host: this.host,
      signal: AbortSignal.timeout(60_000),
      deadlineMs: 60_000,
      rollout,
      progress: (facts: Facts) => this.told.push(facts),
      tool: (request: ToolRequest) => this.#tool(request),
    } as unknown as StepContext;
    return {
      takes: (args: object) => verb.args.safeParse(args).success,
      run: (args: object = {}): Promise<StepResult> => verb.run(context, verb.args.parse(args)),
      probe: (args: object = {}): Promise<Probe> => {
        if (verb.probe === undefined) throw new Error(`${name} has no probe`);
        return verb.probe(context, verb.args.parse(args));
      },
    };
  }

  async #tool({ argv, env = {} }: ToolRequest): Promise<ToolRun> {
    this.ran.push([...argv]);
    const [tool, ...words] = argv;
    // this machine's own log is not the test's
    const own = tool === "dpkg" ? [`--log=${this.root}/dpkg.log`] : [];
    const look = await this.host.look([tool, ...own, ...words], { deadlineMs: 60_000, env });
    const tail = look.spawnError ?? look.stdout + look.stderr;
    return { exitCode: look.exitCode, result: "exited", tail, runner: "" };
  }

  async #apt(...words: readonly string[]): Promise<void> {
    const options = [`Dir=${this.root}`, `Dir::State::status=${this.root}/var/lib/dpkg/status`];
    const own = [...options, `Dpkg::Options::=--root=${this.root}`].flatMap((word) => ["-o", word]);
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    const look = await this.host.look(["apt-get", "-q", ...own, ...words], { deadlineMs: 60_000, env });
    if (look.exitCode !== 0) throw new Error(`apt-get ${words.join(" ")}: ${look.stdout}${look.stderr}`);
  }
}
