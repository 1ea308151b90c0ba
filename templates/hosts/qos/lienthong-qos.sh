#!/bin/sh
# pyinfra, deploys/qos.py. start, stop, or status: which lines do not have the queues that were given to them.
set -u
plan=/etc/lienthong/qos.tc
run=/run/lienthong-qos
lines() { sed -n 's/^qdisc add dev \([^ ]*\) root .*/\1/p' "$plan"; }
seen() { tc class show dev "$1" | sort; tc filter show dev "$1"; }
case "$1" in
start)
  mkdir -p "$run"
  for line in $(lines); do
    # Open vSwitch makes the lines of a hub some time after it has started.
    n=0
    until [ -e "/sys/class/net/$line" ] || [ $n -ge 60 ]; do sleep 0.5; n=$((n + 1)); done
    tc qdisc del dev "$line" root 2>/dev/null
    grep -F " dev $line " "$plan" | tc -batch - || exit 1
    seen "$line" >"$run/$line"
  done
  ;;
stop)
  for kept in "$run"/*; do
    [ -e "$kept" ] || continue
    tc qdisc del dev "${kept##*/}" root 2>/dev/null
    rm -f "$kept"
  done
  rmdir "$run" 2>/dev/null || true
  ;;
status)
  for line in $(lines); do seen "$line" 2>/dev/null | cmp -s - "$run/$line" || echo "$line"; done
  ;;
esac
