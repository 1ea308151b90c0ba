#!/bin/sh
# Written by Liên Thông. Starts baresip anew when its registrar has said nothing for a minute, or has no connection
# to it for 20 s, and no call is up.
# Else, after a line's outage of an hour, it would wait half an hour before it tries again (RFC 5626, 4.5).
set -eu
quiet=${1:-60}
apart=20
now=$(cut -d. -f1 /proc/uptime)
since=$(systemctl show -P ActiveEnterTimestampMonotonic baresip)
[ "$apart" -lt "$quiet" ] || apart=$quiet
age=$((now - since / 1000000))
[ "$age" -gt "$apart" ] || exit 0
# Sockets of a call's media: the ports that baresip may use for them.
[ -z "$(ss -Huna 'sport >= :10000 and sport <= :20000')" ] || exit 0
met=$(ss -Htin state established 'dst {{ registrar }} and dport = :5061' | grep -o 'lastrcv:[0-9]*' | cut -d: -f2)
if [ -z "$met" ]; then
  quiet=$apart
fi
for heard in $met; do
  [ "$age" -gt "$quiet" ] && [ "$heard" -gt $((quiet * 1000)) ] || exit 0
done
echo "the registrar has said nothing for $quiet s: baresip starts anew"
systemctl --no-block try-restart baresip
