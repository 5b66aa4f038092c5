// Something that happens on a host just before the engine's client, or docker-compose, is called there with certain
// words: once, by a script of the test's; where the script fails, the tool is not called at all.
import type { Host } from "../harness/index.ts";

const hook = "/run/lab-hook";

const wrapper = `#!/bin/sh
tool=$(basename "$0")
if [ -x ${hook} ]; then
  for word in "$@"; do
    grep -qxF "# $tool $word" ${hook} || continue
    mv ${hook} ${hook}.used
    PATH=/usr/bin:/usr/sbin sh ${hook}.used || exit $?
    break
  done
fi
exec /usr/bin/$tool "$@"
`;

/** `call`: the tool and one of its words, as `docker create`. */
export async function onceBefore(host: Host, call: string, script: string): Promise<void> {
  for (const tool of ["docker", "docker-compose"])
    await host.write(`/usr/local/bin/${tool}`, wrapper, "0755");
  await host.write(hook, `#!/bin/sh\n# ${call}\n${script}\n`, "0755");
}

export async function hasStruck(host: Host): Promise<boolean> {
  const found = await host.exec(["rm", `${hook}.used`]);
  return found.code === 0;
}
