#!/bin/sh
# Does the playbook do what it is for? Real git and real shell steps; a recording stands in for Claude.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

git clone --quiet "$(git -C "$here" rev-parse --show-toplevel)" "$scratch/repo"
cd "$scratch/repo/$(git -C "$here" rev-parse --show-prefix)"
mmm cook playbooks/fix.yml --replay "$here/test/fix.jsonl"

node test/sum.mjs
test "$(cat KIND)" = sign
test -z "$(git status --porcelain)"
echo "the playbook works"
