#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs sooth, one file, for this user: sh install.sh [--from URL|FOLDER] [--to FOLDER]
#
# --from: where sooth-PROCESSOR and SHA256SUMS are (default: where this script is, or its release).
# --to:   where the program goes (default: ~/.local/bin; as root /usr/local/bin).
# Nothing else is written, and no root is needed. To remove it: sooth uninstall.
set -eu
release='' # script/release names the address of its files here
from=${SOOTH_RELEASE:-$release}
to=

fail() {
	printf 'install.sh: %s\n' "$1" >&2
	exit 1
}

usage() {
	sed -n '3,7s/^# \{0,1\}//p' "$0" 2> /dev/null || :
	exit "$1"
}

while [ $# -gt 0 ]; do
	case $1 in
	--from) [ $# -ge 2 ] || usage 2; from=$2; shift ;;
	--to) [ $# -ge 2 ] || usage 2; to=$2; shift ;;
	-h | --help) usage 0 ;;
	*) printf 'install.sh: no such option: %s\n' "$1" >&2; usage 2 ;;
	esac
	shift
done

[ "$(uname -s)" = Linux ] || fail "this file is for Linux; on other systems build sooth from its sources"
case $(uname -m) in
x86_64 | amd64) file=sooth-x86_64 ;;
aarch64 | arm64) file=sooth-aarch64 ;;
*) fail "there is no file for the processor $(uname -m): build sooth from its sources" ;;
esac

if [ -z "$from" ]; then
	# Through a pipe $0 is the shell, and "beside it" would be the current folder, of whatever user.
	case $0 in *install.sh) [ ! -f "$0" ] || from=$(dirname "$0") ;; esac
	[ -n "$from" ] && [ -f "$from/SHA256SUMS" ] || fail "there is no SHA256SUMS beside this script: name the release with --from URL"
fi
if [ -z "$to" ]; then
	if [ "$(id -u)" = 0 ]; then
		to=/usr/local/bin
	else
		[ -n "${HOME:-}" ] || fail "HOME is not set: name a folder with --to"
		to=$HOME/.local/bin
	fi
fi

# get NAME INTO
get() {
	case $from in
	http://* | https://*)
		if command -v curl > /dev/null; then
			curl -fsSL --proto '=http,https' -o "$2" "$from/$1"
		elif command -v wget > /dev/null; then
			wget -q -O "$2" "$from/$1"
		else
			fail "there is neither curl nor wget: copy the release here and use --from FOLDER"
		fi
		;;
	*) cp "$from/$1" "$2" ;;
	esac || fail "cannot get $from/$1"
}

if command -v sha256sum > /dev/null; then
	sum='sha256sum'
elif command -v openssl > /dev/null; then
	sum='openssl dgst -sha256 -r'
elif command -v busybox > /dev/null; then
	sum='busybox sha256sum'
else
	fail "there is no sha256sum: the file cannot be checked"
fi

mkdir -p "$to" || fail "cannot make $to"
[ ! -d "$to/sooth" ] || fail "$to/sooth is a folder"
# Beside its place, so that the last step is one rename: a sooth that runs goes on with the old file.
work=$(mktemp -d "$to/.sooth-install.XXXXXX") || fail "cannot write to $to: name another folder with --to"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
get SHA256SUMS "$work/sums"
get "$file" "$work/sooth"
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$file\$/\1/p" "$work/sums")
[ -n "$wanted" ] || fail "SHA256SUMS has no line for $file"
[ "$($sum < "$work/sooth" | cut -d ' ' -f 1)" = "$wanted" ] || fail "$file is not what SHA256SUMS says: nothing was installed"
chmod 755 "$work/sooth"
version=$("$work/sooth" --version 2>&1) || fail "$file does not run here: $version"
mv -f "$work/sooth" "$to/sooth"
printf '%s is in %s/sooth\n' "$version" "$to"
case ":$PATH:" in
*":$to:"*) ;;
*) printf 'Your PATH does not have this folder: export PATH="%s:$PATH"\n' "$to" ;;
esac
printf 'Next: sooth, sooth why PID, sooth doctor (what can be seen here, and what would give more)\n'
