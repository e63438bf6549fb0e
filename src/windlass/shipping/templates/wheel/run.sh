#!/bin/sh
# Installs what is needed beside this file, once, and serves. Options of `windlass serve` may follow: sh run.sh --port 9000
set -eu
cd "$(dirname "$0")"
if [ ! -x .venv/ready/windlass ]; then
    rm -rf .venv
    "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -m pip install --quiet --no-deps --find-links wheels --requirement requirements.txt
    mkdir .venv/ready
    ln -s ../bin/windlass .venv/ready/windlass
fi
exec .venv/bin/windlass serve --project . "$@"
