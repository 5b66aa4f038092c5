#!/usr/bin/env bash
# Everything that can be said of the code without running it. Prints nothing but what is wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=node_modules/.bin

"$bin/tsc" -p .
"$bin/biome" ci --colors=off --error-on-warnings .
"$bin/oxlint" --type-aware --quiet
# what nobody uses: files, exports, dependencies (knip.json names where programs begin)
"$bin/knip" --no-progress

# below the composition roots nobody reads clock, randomness or environment
if grep -nE '\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.now|process\.env)\b|\bnew Date\(\)' \
  -r agent coordinator proto/common proto/catalogue proto/engines --include='*.ts' |
  grep -vE '^(agent/main\.ts|coordinator/main\.ts|proto/common/clock\.ts):'; then
  echo "take a Clock, a Random or a setting as a parameter instead (proto/common/clock.ts)" >&2
  exit 1
fi

"$bin/buf" lint
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$bin/buf" generate --output "$fresh"
diff -r "$fresh/proto/gen" proto/gen || { echo "proto/gen is not what the contract generates: npx buf generate" >&2; exit 1; }

"$bin/tsx" deploy/schema/generate.ts "$fresh/schema"
diff -r --exclude=generate.ts "$fresh/schema" deploy/schema || { echo "deploy/schema is not what the product reads: npx tsx deploy/schema/generate.ts" >&2; exit 1; }

# the contract may grow, not break; a release renews what it is held against:
# npx buf build --exclude-source-info -o proto/baseline.binpb
"$bin/buf" breaking --against proto/baseline.binpb
