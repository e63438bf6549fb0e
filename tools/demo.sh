#!/bin/sh
# The main job, told step by step: a ready product is trained, compared, released, served and asked over HTTP.
# Usage: demo.sh FOLDER | demo.sh stop FOLDER      (BIN: folder of the windlass command)
set -eu

if [ "$1" = stop ]; then
    [ -f "$2/service.pid" ] && kill "$(cat "$2/service.pid")" 2>/dev/null && echo "stopped" || echo "nothing is running"
    rm -f "$2/service.pid"
    exit 0
fi

folder=$1
windlass="$PWD/$BIN/windlass"
[ -f "$folder/service.pid" ] && kill "$(cat "$folder/service.pid")" 2>/dev/null || true
[ -f "$folder/windlass.yaml" ] || "$windlass" new support-desk "$folder"

echo "== windlass run: collect, prepare, train, evaluate, explain, release"
"$windlass" run --project "$folder"

echo "== windlass serve"
nohup "$windlass" serve --project "$folder" --port 0 >"$folder/service.log" 2>&1 </dev/null &
echo $! >"$folder/service.pid"
address=
for _ in $(seq 100); do
    address=$(sed -n 's/.*\(http:\/\/[0-9.:]*\).*/\1/p' "$folder/service.log" | head -n 1)
    [ -n "$address" ] && break
    kill -0 "$(cat "$folder/service.pid")" 2>/dev/null || break
    sleep 0.1
done
[ -n "$address" ] || { cat "$folder/service.log" >&2; exit 1; }

echo "== ask it"
for message in "my parcel has not arrived yet" "我想退款"; do
    echo "POST $address/v1/predict  $message"
    "$BIN/python" - "$address" "$message" <<'PYTHON'
import json, sys, urllib.request
body = json.dumps({"row": {"message": sys.argv[2]}}).encode()
request = urllib.request.Request(sys.argv[1] + "/v1/predict", body, {"Content-Type": "application/json"})
print("  " + urllib.request.urlopen(request, timeout=10).read().decode())
PYTHON
done
echo
echo "report:  file://$PWD/$folder/.windlass/evaluate/report.html"
echo "service: $address   (stop it with: make stop)"
