/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debug file from debuginfod servers, by libdebuginfod, which is loaded when it is needed: no
 * build and no package depends on it. It takes its settings from the environment, prints, uses the
 * network and has no bound for all of a fetch. So a process without capabilities makes it, which
 * ends in time and whose files have a largest size.
 */
#ifndef SOOTH_OS_LINUX_DEBUGINFOD_FETCH_H
#define SOOTH_OS_LINUX_DEBUGINFOD_FETCH_H

#include <stdint.h>

#define DEBUGINFOD_SILENT_S 10 /* without 100 KB received meanwhile, the fetch ends */
#define DEBUGINFOD_FETCH_S  60

/* The build id is in hexadecimal, and its file is below the open directory of symbol_cache.h. */
struct debuginfod_request {
	const char *urls; /* with blanks between them */
	const char *build_id;
	int directory;
	uint64_t bytes_max; /* of the file */
};

/*
 * 0: the file has its name in the directory. -ENOENT: no server has it; -EFBIG: it is larger;
 * -EBADMSG: it is of another build, or no ELF file; -ENOEXEC: it is damaged; -ELIBACC: there is no libdebuginfod; -EINTR:
 * the user ended it; others: no server gave an answer.
 */
int debuginfod_fetch(const struct debuginfod_request *r);
/* Whether libdebuginfod can be loaded: 0 or -ELIBACC. */
int debuginfod_fetch_test(void);

#endif
