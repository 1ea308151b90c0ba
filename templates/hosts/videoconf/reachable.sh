#!/bin/sh
# Written by Liên Thông. Starts baresip anew when its registrar has said nothing for a minute and no call is up.
# Else, after a line's outage of an hour, it would wait half an hour before it tries again (RFC 5626, 4.5).
set -eu
quiet=${1:-60}
now=$(cut -d. -f1 /proc/uptime)
since=$(systemctl show -P ActiveEnterTimestampMonotonic baresip)
[ $((now - since / 1000000)) -gt "$quiet" ] || exit 0
# Sockets of a call's media: the ports that baresip may use for them.
[ -z "$(ss -Huna 'sport >= :10000 and sport <= :20000')" ] || exit 0
for heard in $(ss -Htin state established 'dst {{ registrar }} and dport = :5061' | grep -o 'lastrcv:[0-9]*' | cut -d: -f2); do
  [ "$heard" -gt $((quiet * 1000)) ] || exit 0
done
echo "the registrar has said nothing for $quiet s: baresip starts anew"
systemctl --no-block try-restart baresip
