#!/bin/sh
# Makes a small Debian 12 image out of Debian's own packages, for a machine that can install packages but
# cannot pull images. Where a registry answers, nobody needs this: docker build pulls the base itself.
#
# usage: base-image.sh [TAG [PACKAGE...]]
#
#   base-image.sh                                   makes debian:12-slim
#   base-image.sh copydesk-run:12 libzmq5 libuv1    the same with these packages in it
#
# Sources, keys, proxy and certificates are those of this machine's apt; none is named here. Does nothing
# when the image is there. Takes about 20 s; needs root (or sudo'd docker and mmdebstrap).
set -eu

tag=${1:-debian:12-slim}
[ $# -eq 0 ] || shift
packages=$(echo "$*" | tr ' ' ',')

if docker image inspect "$tag" >/dev/null 2>&1; then
    exit 0
fi
if ! command -v mmdebstrap >/dev/null; then
    echo "base-image.sh: needs mmdebstrap (apt-get install mmdebstrap)" >&2
    exit 77
fi

# Thousands of small files: in memory this takes half the time of the disk.
if [ -z "${TMPDIR:-}" ] && [ "$(df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')" -gt 1500 ]; then
    TMPDIR=/dev/shm
    export TMPDIR
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# This machine's package sources, each file that names one.
set --
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -f "$file" ] && grep -qiE '^[[:space:]]*(deb[[:space:]]|types:)' "$file"; then
        set -- "$@" "$file"
    fi
done
if [ $# -eq 0 ]; then
    echo "base-image.sh: this machine has no apt sources" >&2
    exit 77
fi

# How this machine reaches them (proxy, certificates), so that apt works inside a build as well.
apt-config dump --no-empty Acquire | grep -E '^Acquire::(https?::|Retries|Check-)' >"$work/80reach" || true
cat >"$work/90small" <<'APT'
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
APT

# The hook keeps usrmerge, and perl with it, out of the image: 70 MB instead of 120.
if ! mmdebstrap --quiet --mode=root --variant=apt ${packages:+--include="$packages"} \
    --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook="copy-in $work/80reach $work/90small /etc/apt/apt.conf.d" \
    --customize-hook='mkdir -p "$1/etc/ssl/certs"' \
    --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/" 2>/dev/null || true' \
    --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf" "$1"/var/cache/apt/*.bin' \
    bookworm "$work/image.tar" "$@" >"$work/log" 2>&1; then
    echo "base-image.sh: mmdebstrap failed:" >&2
    tail -n 5 "$work/log" | sed -E 's#[a-z]+://[^ ]+#(a source)#g' >&2
    exit 1
fi
docker import --change 'CMD ["bash"]' --message "Debian 12, made from packages" "$work/image.tar" "$tag" >/dev/null
echo "made $tag"
