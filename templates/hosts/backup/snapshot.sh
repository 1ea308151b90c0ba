#!/bin/sh
# Written by Liên Thông. What the vault may do here: have a consistent copy of the documents, as tar on standard output, or, with
# the one word `watch`, be told when a document appears. Whatever else it asks for is refused.
# Runs as an account that can read the documents and change nothing. A document that it cannot read, or that will not
# hold still, is a failure: a backup that silently leaves things out is worse than none.
set -eu
umask 077
case ${SSH_ORIGINAL_COMMAND-} in
  '') ;;
  watch) exec /usr/local/sbin/lienthong-appeared {{ documents }};;
  *) echo "not one of the words of this key" >&2; exit 64;;
esac
cd {{ documents }}
exec 9<.
flock -w 60 9
copy=$(mktemp -d /var/tmp/lienthong-snapshot.XXXXXX)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM PIPE
look() { find . -printf '%P %y %s %T@ %i\n' | LC_ALL=C sort; }
for try in 1 2 3; do
  before=$(look)
  rm -rf "$copy/documents"
  cp -R -P --preserve=mode,timestamps . "$copy/documents" || { [ "$try" = 3 ] && exit 74; continue; }
  [ "$before" = "$(look)" ] && break
  [ "$try" = 3 ] && { echo "documents keep changing" >&2; exit 75; }
done
chmod -R u+rwX "$copy/documents"
{% if databases %}
# Beside the documents, each database as of one moment. What is called so among the documents would be hidden by it.
[ ! -e "$copy/documents/{{ databases }}" ] || { echo "a document is called {{ databases }}" >&2; exit 76; }
mkdir "$copy/documents/{{ databases }}"
/usr/local/sbin/lienthong-database dump "$copy/documents/{{ databases }}"
{% endif %}
cd "$copy/documents"
# The lock is held until the copy is made; sending may take long.
exec 9<&-
tar --create --file=- --owner=docs --group=docs --sort=name .
