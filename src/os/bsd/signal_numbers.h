/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals of FreeBSD and macOS, which have the same numbers up to 31, in the numbers of Linux,
 * which records have. */
#ifndef SOOTH_OS_BSD_SIGNAL_NUMBERS_H
#define SOOTH_OS_BSD_SIGNAL_NUMBERS_H

#include <stdint.h>

/* Bit n-1 is signal n. SIGEMT and SIGINFO, which Linux lacks, are left out. */
uint64_t bsd_signal_mask(uint64_t theirs);
/* The status that wait(2) gives of a process that has ended. */
uint32_t bsd_wait_status(uint32_t theirs);

#endif
