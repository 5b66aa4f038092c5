/** Hints are written once for all rollouts: where the reader's own is known, its name stands in their commands, ready to be pasted. */

const commands = /\b(lockkeeper (?:retry|resume|abort|approve|status|why|logs|watch) )ROLLOUT\b/g;
const wayBack = /\b(lockkeeper plan --back )ROLLOUT\b/g;

/** `from`: the rollout that is gone back from, where that is another one. */
export function named(text: string, rollout: string, from = rollout): string {
  return text.replace(commands, `$1${rollout}`).replace(wayBack, `$1${from}`);
}
