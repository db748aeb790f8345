/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts signals of FreeBSD and macOS, which agree up to 31, to the numbers of Linux, which
 * records have. */
#pragma once

#include <stdint.h>

/* Converts a mask: bit n-1 is signal n. SIGEMT and SIGINFO, which Linux lacks, are left out. */
uint64_t bsd_signal_mask(uint64_t theirs);
/* Converts the status of an ended process from wait(2). */
uint32_t bsd_wait_status(uint32_t theirs);
