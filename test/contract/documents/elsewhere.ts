/** Commands of the documents that documents.test.ts does not run, and the test that runs them or what they stand for. */
export const elsewhere: readonly { readonly command: string; readonly where: string }[] = [
  ...[
    "cp -r dist /usr/lib/lockkeeper",
    "ln -s /usr/lib/lockkeeper/lockkeeper /usr/bin/lockkeeper",
    "useradd --system lockkeeper",
    "install -D -m 644 deploy/coordinator.example.yaml /etc/lockkeeper/coordinator.yaml",
    "install -m 644 deploy/systemd/lockkeeper.service /etc/systemd/system/",
    "install -m 755 lockkeeper-agent /usr/bin/",
    "install -m 644 lockkeeper-agent.service /etc/systemd/system/",
    "systemctl daemon-reload",
    "systemctl enable --now lockkeeper",
    "systemctl enable --now lockkeeper-agent",
    "systemctl status lockkeeper --no-pager",
    "systemctl status lockkeeper-agent --no-pager",
    "journalctl -u lockkeeper -n 50 --no-pager",
    "journalctl -u lockkeeper-agent -n 50 --no-pager",
  ].map((command) => ({ command, where: "test/lab/documents/install.test.ts" })),
  ...[
    "lockkeeper check orders --to 17 --into orders-new --method pglogical",
    "lockkeeper plan orders --to 17 --into orders-new --method pglogical -o plan.json",
  ].map((command) => ({ command, where: "test/lab/postgresql/pglogical.test.ts" })),
  ...[
    'lockkeeper apply plan.json -y --ack postgresql.target-standbys --reason "its host comes on Monday"',
    "lockkeeper pause orders",
    'lockkeeper resume orders --ack postgresql.target-backup --reason "taken by hand at 21:00"',
  ].map((command) => ({ command, where: "test/flow/processes/postgres-ready.test.ts" })),
  {
    command: 'lockkeeper resume orders --ack postgresql.rows-left-behind --reason "a test row of ours"',
    where: "test/flow/processes/postgres-faults.test.ts",
  },
  ...["journalctl -u kaiwudb -n 100 --no-pager", "systemctl status kaiwudb --no-pager"].map((command) => ({
    command,
    where: "test/lab/kwdb/cluster.test.ts",
  })),
];
