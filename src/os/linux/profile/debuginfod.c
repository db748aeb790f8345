/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug files from servers. */
#include "os/linux/profile/debuginfod.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "os/linux/profile/debuginfod_fetch.h"
#include "os/linux/profile/symbol_cache.h"

#define REFUSED_MAX    4096
#define UNANSWERED_MAX 2   /* after so many failures the servers count as unreachable */
#define RUN_S	       180 /* after this time no further fetch begins */

/* --- which servers --- */

static int refuse_library(struct sooth_error *err)
{
	error_set(err, -ELIBACC, SOOTH_FAULT_UNSUPPORTED, "fetch debug files");
	error_why(err, "libdebuginfod.so.1 cannot be loaded");
	return error_remedy(err, "apt install libdebuginfod1 (Debian, Ubuntu), dnf install "
				 "elfutils-debuginfod-client (Fedora), or leave out --debuginfod");
}

static int refuse_folder(struct sooth_error *err)
{
	error_set(err, -ENOENT, SOOTH_FAULT_IO, "fetch debug files");
	error_why(err, "there is no folder for debug files to which only the caller can write");
	return error_remedy(err, "set HOME or XDG_CACHE_HOME to a folder of your own, mode 0700");
}

int debuginfod_init(
	struct debuginfod *d, const struct probe_options *options, struct sooth_error *err)
{
	int directory;

	assert(d);
	assert(options);
	if (!options->observer.debuginfod_urls)
		return 0;
	if (debuginfod_fetch_test())
		return refuse_library(err);
	directory = symbol_cache_open(options->observer.cache_folder, true);
	if (directory < 0)
		return refuse_folder(err);
	close(directory);
	d->urls = strdup(options->observer.debuginfod_urls);
	d->folder = strdup(options->observer.cache_folder);
	d->bytes_max = options->observer.debug_cache_bytes ? options->observer.debug_cache_bytes
							   : SYMBOL_CACHE_DEBUG_BYTES;
	map_init(&d->refused, SYMBOL_CACHE_NAME, sizeof(uint8_t), REFUSED_MAX);
	return d->urls && d->folder ? 0 : error_no_memory(err);
}

void debuginfod_fini(struct debuginfod *d)
{
	if (d->urls)
		map_fini(&d->refused);
	free(d->urls);
	free(d->folder);
}

/* --- a file --- */

/* Reads a kept file. A file that is damaged or of another version is removed, and counts as
 * missing. */
static bool read_kept(int directory, const char *name, struct timeout *timeout,
	const struct debug_identity *identity, struct file_names *names)
{
	_cleanup_close_ int file = symbol_cache_get(directory, name);

	if (file >= 0 && debug_file_names_sealed(timeout, file, identity, names))
		return true;
	unlinkat(directory, name, 0);
	return false;
}

static void count_result(struct debuginfod *d, int status)
{
	if (!status) {
		d->fetched++;
	} else if (status == -ENOENT) {
		d->missing++;
	} else if (status == -EFBIG) {
		d->large++;
	} else if (status == -EBADMSG) {
		d->wrong++;
	} else if (status == -ENOEXEC) {
		d->damaged++;
	} else {
		d->unanswered++;
		d->failure = status;
		d->is_over |= d->unanswered >= UNANSWERED_MAX || status == -EINTR ||
			      status == -ETIME || status == -ETIMEDOUT;
	}
}

static bool fetch_file(struct debuginfod *d, int directory, const char *name,
	const struct debug_identity *identity)
{
	struct debuginfod_request request = { .urls = d->urls,
		.build_id = identity->build_id,
		.directory = directory,
		.bytes_max = d->bytes_max / 2 };
	bool is_new = false;
	int status;

	if (d->is_over || map_get(&d->refused, name))
		return false;
	if (!d->began_ns)
		d->began_ns = clock_monotonic_ns();
	if (clock_monotonic_ns() - d->began_ns > RUN_S * NS_PER_S) {
		d->is_over = true;
		d->failure = -ETIMEDOUT;
		return false;
	}
	status = debuginfod_fetch(&request);
	count_result(d, status);
	/* A fetched file is noted, too: if it cannot be read now, it cannot be read later. */
	map_put(&d->refused, name, &is_new);
	return !status;
}

bool debuginfod_names(struct debuginfod *d, struct timeout *timeout,
	const struct debug_identity *identity, struct file_names *names)
{
	_cleanup_close_ int directory = d->urls ? symbol_cache_open(d->folder, true) : -1;
	char name[SYMBOL_CACHE_NAME] = { 0 };
	bool is_fetched, is_read;

	if (directory < 0 || !symbol_cache_name(name, SYMBOL_CACHE_DEBUG, identity->build_id))
		return false;
	if (read_kept(directory, name, timeout, identity, names)) {
		d->kept += !map_get(&d->refused, name);
		map_put(&d->refused, name, NULL);
		return true;
	}
	is_fetched = fetch_file(d, directory, name, identity);
	is_read = is_fetched && read_kept(directory, name, timeout, identity, names);
	d->damaged += is_fetched && !is_read;
	if (is_fetched)
		symbol_cache_trim(directory, SYMBOL_CACHE_DEBUG, d->bytes_max);
	return is_read;
}

/* --- what it did --- */

static const char *plural_file(unsigned n)
{
	return n == 1 ? "file" : "files";
}

static void report_failure(const struct debuginfod *d, struct backend_run *run)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "%s (asked for %u debug %s%s)",
		d->failure == -EINTR ? "interrupted" : strerror(-d->failure), d->unanswered,
		plural_file(d->unanswered), d->is_over ? "; no more were asked for" : "");
	backend_limit(run, "names from debuginfod: no answer", reason,
		"check the URL of --debuginfod, or leave it out");
}

static void report_wrong_files(struct backend_run *run, unsigned count, const char *what)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "the server sent %u %s %s", count, plural_file(count),
		what);
	if (count)
		backend_limit(
			run, "names of some files", reason, "use another server with --debuginfod");
}

void debuginfod_report(const struct debuginfod *d, struct backend_run *run)
{
	char reason[128];

	assert(d);
	assert(run);
	if (!d->urls)
		return;
	log_line(run->log, LOG_INFO,
		"debuginfod: %u debug %s fetched from %s, %u kept from before, %u not there",
		d->fetched, plural_file(d->fetched), d->urls, d->kept, d->missing);
	if (d->failure)
		report_failure(d, run);
	snprintf(reason, sizeof(reason), "%u debug %s larger than half of --debug-cache", d->large,
		d->large == 1 ? "file is" : "files are");
	if (d->large)
		backend_limit(run, "names of some files", reason, "use a larger --debug-cache");
	report_wrong_files(run, d->wrong, "of another build");
	report_wrong_files(run, d->damaged, "damaged or without names");
}
