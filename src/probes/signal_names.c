/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of signals and of the flags of their handlers; see signal_names.h. Numbers:
 * signal(7), uapi/asm-generic/signal.h.
 */
#include "probes/signal_names.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define REALTIME_FIRST 34 /* real-time signals that the C libraries leave to programs */
#define REALTIME_LAST  64
#define SET_BY_LIBC    0x04000000u /* SA_RESTORER */

static const char *const names[] = { NULL, "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS",
	"FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT",
	"STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
	"PWR", "SYS" };

static const struct {
	uint32_t bit;
	const char *name;
} flag_names[] = {
	{ 0x00000001, "SA_NOCLDSTOP" },
	{ 0x00000002, "SA_NOCLDWAIT" },
	{ 0x00000004, "SA_SIGINFO" },
	{ 0x00000800, "SA_EXPOSE_TAGBITS" },
	{ 0x08000000, "SA_ONSTACK" },
	{ 0x10000000, "SA_RESTART" },
	{ 0x40000000, "SA_NODEFER" },
	{ 0x80000000, "SA_RESETHAND" },
};

const char *signal_name(char out[SIGNAL_NAME_SIZE], unsigned number)
{
	if (number < ARRAY_SIZE(names) && names[number])
		snprintf(out, SIGNAL_NAME_SIZE, "SIG%s", names[number]);
	else if (number == REALTIME_FIRST)
		snprintf(out, SIGNAL_NAME_SIZE, "SIGRTMIN");
	else if (number == REALTIME_LAST)
		snprintf(out, SIGNAL_NAME_SIZE, "SIGRTMAX");
	else if (number > REALTIME_FIRST && number < REALTIME_LAST)
		snprintf(out, SIGNAL_NAME_SIZE, "SIGRTMIN+%u", number - REALTIME_FIRST);
	else
		snprintf(out, SIGNAL_NAME_SIZE, "SIG%u", number);
	return out;
}

void signal_flag_names(struct buffer *out, uint64_t flags)
{
	const char *blank = "";

	flags &= ~(uint64_t)SET_BY_LIBC;
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(flags & flag_names[i].bit))
			continue;
		buffer_format(out, "%s%s", blank, flag_names[i].name);
		flags &= ~(uint64_t)flag_names[i].bit;
		blank = " ";
	}
	if (flags)
		buffer_format(out, "%s0x%llx", blank, (unsigned long long)flags);
}
