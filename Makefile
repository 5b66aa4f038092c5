.PHONY: setup lint
setup:
	@[ -d node_modules ] || npm ci --ignore-scripts --no-audit --no-fund
lint: setup
	npx tsc -p .
