/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and lines of files whose debug files are not on this machine, from debuginfod servers, only
 * if the user names servers. Fetched files are kept in the folder of symbol_cache.h. */
#pragma once

#include "base/error.h"
#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/profile/debug_file.h"

/* Zero-initialized is valid: nothing is fetched. */
struct debuginfod {
	char *urls;   /* NULL: nothing is fetched */
	char *folder; /* folder of symbol_cache.h */
	uint64_t bytes_max;
	struct map refused; /* build id -> nothing: it is not requested again */
	int failure;	    /* error of the last fetch without an answer; 0: every fetch got one */
	bool is_over;	    /* nothing more is fetched in this run */
	uint64_t began_ns;  /* start of the first fetch; 0: none */
	unsigned fetched, kept, missing, large, wrong, damaged, unanswered;
};

/* Initializes fetching. Refused if there is no libdebuginfod, or no folder. */
int debuginfod_init(
	struct debuginfod *d, const struct probe_options *options, struct sooth_error *err);
void debuginfod_fini(struct debuginfod *d);
/* Fills in names and lines as debug_file_names() does. */
bool debuginfod_names(struct debuginfod *d, struct timeout *timeout,
	const struct debug_identity *identity, struct file_names *names);
/* Logs what was fetched, and reports what could not be fetched as limits. */
void debuginfod_report(const struct debuginfod *d, struct backend_run *run);
