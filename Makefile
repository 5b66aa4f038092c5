# Every target sets up what it needs on a fresh machine: npm packages here, nats-server through deploy/nats/fetch.sh.
SUITE ?= kwdb
# of the demo: kwdb or postgresql
ENGINE ?= kwdb
.PHONY: setup build lint test test-full lab bench demo

# npm install, not npm ci: the latter refuses a lock file made where not every platform's optional package is served
setup:
	@if [ ! -L node_modules ] && [ ! node_modules/.package-lock.json -nt package-lock.json ]; then \
	  npm install --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json; fi

build: setup
	@node_modules/.bin/tsx deploy/build.ts

lint: setup
	@deploy/lint.sh

test: build
	@node_modules/.bin/tsx test/run.ts

test-full: build
	@LOCKKEEPER_TEST_FULL=1 node_modules/.bin/tsx test/run.ts

lab: build
	@LOCKKEEPER_TEST_FULL=1 node_modules/.bin/tsx test/run.ts --project lab test/lab/$(SUITE)

bench: build
	@node_modules/.bin/tsx test/bench/main.ts

demo: build
	@dist/lockkeeper demo $(ENGINE)
