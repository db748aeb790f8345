/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals: what a process does with each signal, and which are pending. Masks have
 * bit n-1 for signal n. SIGNALS_PROCESS ends the records of one snapshot.
 */
#pragma once

#include <sooth/record.h>

enum signals_kind {
	SIGNALS_THREAD = 0x0900,
	SIGNALS_HANDLER = 0x0901,
	SIGNALS_PROCESS = 0x0902, /* ends the records of one snapshot */
};

#define SIGNALS_MAX 64

struct signals_thread {
	struct sooth_record record; /* tid is set */
	uint64_t blocked;
	uint64_t pending; /* signals pending for this thread only */
};

struct signals_handler {
	struct sooth_record record;
	uint64_t address;
	uint64_t flags;		/* SA_* */
	uint64_t blocked;	/* while the handler runs */
	uint64_t symbol_offset; /* distance of the address from the symbol's start */
	uint32_t signal;
	uint8_t symbol_state;
	uint8_t object_state; /* absent: in no file */
	uint8_t unused[2];
	struct sooth_text symbol; /* function */
	struct sooth_text object; /* path of the mapped file */
};

struct signals_process {
	struct sooth_record record;
	uint64_t ignored, caught;
	uint64_t pending;	     /* signals pending for the process as a whole */
	uint64_t queued, queued_max; /* signals queued for its user; RLIMIT_SIGPENDING */
	uint32_t threads;	     /* number of records */
	uint8_t masks_state;
	uint8_t threads_state;
	uint8_t handlers_state; /* whether handlers' addresses could be read */
	uint8_t pending_state;	/* state of `pending`, where the other masks have their values */
};
