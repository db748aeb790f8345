/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/signal_numbers.h"

#define KEPT		 33 /* signals 32 and 33 belong to the C library on all systems */
#define REALTIME_FREEBSD 65
#define REALTIME_LINUX	 34
#define REALTIME_MAX	 64
#define UNKNOWN		 64 /* stands for signals that Linux lacks, above its own */
#define STATUS_SIGNAL	 0x7fu

/* Linux's number by the system's number; 0: Linux lacks it. */
static const uint8_t numbers[] = {
	[1] = 1,   /* HUP */
	[2] = 2,   /* INT */
	[3] = 3,   /* QUIT */
	[4] = 4,   /* ILL */
	[5] = 5,   /* TRAP */
	[6] = 6,   /* ABRT */
	[8] = 8,   /* FPE */
	[9] = 9,   /* KILL */
	[10] = 7,  /* BUS */
	[11] = 11, /* SEGV */
	[12] = 31, /* SYS */
	[13] = 13, /* PIPE */
	[14] = 14, /* ALRM */
	[15] = 15, /* TERM */
	[16] = 23, /* URG */
	[17] = 19, /* STOP */
	[18] = 20, /* TSTP */
	[19] = 18, /* CONT */
	[20] = 17, /* CHLD */
	[21] = 21, /* TTIN */
	[22] = 22, /* TTOU */
	[23] = 29, /* IO */
	[24] = 24, /* XCPU */
	[25] = 25, /* XFSZ */
	[26] = 26, /* VTALRM */
	[27] = 27, /* PROF */
	[28] = 28, /* WINCH */
	[30] = 10, /* USR1 */
	[31] = 12, /* USR2 */
	[32] = 32, /* THR */
	[33] = 33, /* LIBRT */
};

static uint32_t number_of(uint32_t theirs)
{
	if (!theirs)
		return 0;
	if (theirs <= KEPT)
		return numbers[theirs] ? numbers[theirs] : UNKNOWN + theirs;
	if (theirs < REALTIME_FREEBSD)
		return UNKNOWN;
	theirs += REALTIME_LINUX - REALTIME_FREEBSD;
	return theirs < REALTIME_MAX ? theirs : REALTIME_MAX;
}

uint64_t bsd_signal_mask(uint64_t theirs)
{
	uint64_t mask = 0;

	for (uint32_t i = 1; i <= KEPT; i++) {
		if (theirs >> (i - 1) & 1 && numbers[i])
			mask |= (uint64_t)1 << (numbers[i] - 1);
	}
	return mask;
}

uint32_t bsd_wait_status(uint32_t theirs)
{
	return (theirs & ~STATUS_SIGNAL) | number_of(theirs & STATUS_SIGNAL);
}
