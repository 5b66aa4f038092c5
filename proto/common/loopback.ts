/** Until certificates come, both ends speak on loopback only, unless their own file says `insecure: true`. */

/** host:port with a port from 1 to 65535; IPv6 in brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(address);
  const port = Number(found?.[3]);
  const host = found?.[1] ?? found?.[2];
  return host === undefined || !(port >= 1 && port <= 65_535) ? undefined : { host, port };
}

export function isLoopback(address: string): boolean {
  const host = splitAddress(address)?.host ?? address;
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
