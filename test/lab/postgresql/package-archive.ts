// An archive of packages inside a host, which is the only one that its apt knows: there is no way out of the lab.
import type { Host } from "../harness/index.ts";

export const archive = "/srv/archive";

/** Built on the host itself. `fields`: further lines of its control file; `files` under DEBIAN/ are its scripts. */
export async function buildPackage(
  host: Host,
  name: string,
  { fields = "", files }: { readonly fields?: string; readonly files: Readonly<Record<string, string>> },
): Promise<void> {
  const folder = `/root/build/${name}`;
  const head = `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n`;
  await host.write(`${folder}/DEBIAN/control`, `${head}${fields}Description: of a test\n`);
  for (const [file, text] of Object.entries(files))
    await host.write(`${folder}/${file}`, text, file.startsWith("DEBIAN/") ? "0755" : "0644");
  await host.must(["install", "-d", archive]);
  await host.must(["dpkg-deb", "--root-owner-group", "-b", folder, `${archive}/${name}.deb`]);
}

/** Known to apt after the next `apt-get update`. */
export async function openArchive(host: Host): Promise<void> {
  const index = `cd ${archive}; for f in *.deb; do dpkg-deb -f $f; echo "Filename: ./$f"; stat -c 'Size: %s' $f; echo "SHA256: $(sha256sum <$f | cut -d' ' -f1)"; echo; done >Packages`;
  await host.must(["sh", "-ec", index], { timeoutMs: 120_000 });
  await host.must(["sh", "-ec", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*"]);
  await host.write("/etc/apt/sources.list", `deb [trusted=yes] file:${archive} ./\n`);
}

/** All of the host, one `name version state` per line. */
export function packagesOn(host: Host): Promise<string> {
  const fields = ["Package", "Version", "db:Status-Abbrev"].map((field) => `\${${field}}`);
  return host.must(["dpkg-query", "-W", "-f", `${fields.join(" ")}\\n`]);
}
