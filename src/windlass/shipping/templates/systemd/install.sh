#!/bin/sh
# Installs the release below /opt/{{ name }} and starts its unit. Run as root, again for each new release.
# DESTINATION=folder installs below that folder and starts nothing, for packagers and for a look first.
set -eu
cd "$(dirname "$0")"
root=${DESTINATION:-}
home=$root/opt/{{ name }}
mkdir -p "$home" "$root/etc/systemd/system"
if [ ! -x "$home/.venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$home/.venv"
fi
"$home/.venv/bin/python" -m pip install --quiet --no-deps --find-links wheels --requirement requirements.txt
rm -rf "$home/.windlass.new"
cp -R .windlass "$home/.windlass.new"
rm -rf "$home/.windlass"
mv "$home/.windlass.new" "$home/.windlass"
cp windlass.yaml "$home/windlass.yaml"
cp {{ name }}.service "$root/etc/systemd/system/{{ name }}.service"
if [ -z "$root" ]; then
    systemctl daemon-reload
    systemctl enable {{ name }}.service
    systemctl restart {{ name }}.service
fi
