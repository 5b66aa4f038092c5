/** The fleet as its owners describe it in YAML: the file is the source, this is its shape after parsing. */

export interface NodeEntry {
  readonly name: string;
  /** Address by which its peers and clients know it. */
  readonly address: string;
}

/** How long and how often gates look; shortened in demos and tests, and then said so. */
export interface GatePolicy {
  readonly everyMs: number;
  readonly dwellMs: number;
  readonly limitMs: number;
}

export interface ClusterEntry {
  readonly name: string;
  readonly engine: string;
  readonly topology: string;
  readonly deployment: string;
  readonly nodes: readonly NodeEntry[];
  readonly gates: GatePolicy;
  /** Engine-specific settings, validated by the playbook's own schema. */
  readonly settings: Readonly<Record<string, string>>;
  /** Windows in which a node may be started, RFC 5545-free: "Mon-Fri 22:00-05:00 Asia/Shanghai". Empty: always. */
  readonly windows: readonly string[];
  /** Set: no node is started. The text says why. */
  readonly freeze?: string;
}

export interface Inventory {
  readonly format: 1;
  readonly clusters: readonly ClusterEntry[];
}
