# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# At the end of a session of Claude Code: says which of its commands still run. Ends nothing.
# What stands on standard error is shown to the user, if the exit status is not 0.
session=${CLAUDE_CODE_SESSION_ID:-}
case $session in
'' | -* | *[!A-Za-z0-9_-]*) exit 0 ;;
esac
command -v sooth > /dev/null || exit 0
left=$(sooth ps --session="$session" --interval=0 --filter="pid != $$ and ppid != $$ and (role = tool or is_orphaned)" \
	--columns=pid,elapsed_time,rss_bytes,command < /dev/null 2> /dev/null) || exit 0
case $left in
*' PID '*) ;;
*) exit 0 ;;
esac
left=${left%total of *}
printf 'still running at the end of this session (sooth why PID says what each does):\n%s' "$left" >&2
exit 1
