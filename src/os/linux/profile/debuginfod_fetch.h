/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fetches a debug file from debuginfod servers by libdebuginfod. The library is loaded when it is
 * needed, so no build and no package depends on it. It takes its settings from the environment,
 * prints, uses the network, and has no time limit for a whole fetch. So a process without
 * capabilities runs it, with limits on its time and on the size of its files.
 */
#pragma once

#include <stdint.h>

#define DEBUGINFOD_SILENT_S 10 /* if less than 100 KB arrive in this time, the fetch ends */
#define DEBUGINFOD_FETCH_S  60

/* The build id is in hexadecimal, and its file is below the open directory of symbol_cache.h. */
struct debuginfod_request {
	const char *urls; /* separated by blanks */
	const char *build_id;
	int directory;
	uint64_t bytes_max; /* largest size of the file */
};

/*
 * Returns 0: the file has its name in the directory. -ENOENT: no server has it; -EFBIG: it is
 * larger than allowed; -EBADMSG: it is of another build, or no ELF file; -ENOEXEC: it is damaged;
 * -ELIBACC: there is no libdebuginfod; -EINTR: the user ended the fetch; others: no server
 * answered.
 */
int debuginfod_fetch(const struct debuginfod_request *r);
/* Returns 0 if libdebuginfod can be loaded, else -ELIBACC. */
int debuginfod_fetch_test(void);
