/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/metrics.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/trusted.h"
#include "base/units.h"
#include "cli/rights/invoker.h"
#include "cli/selected/process_table_scan.h"
#include "collect/collector.h"
#include "explain/registry.h"
#include "model/stream_records.h"
#include "os/os.h"

#define FILE_NS	     (15 * NS_PER_S) /* node_exporter reads it a few times a minute */
#define FILE_MODE    0644
#define WATCHES_NS   (15 * NS_PER_S)
#define WATCHERS_MAX 2000 /* processes whose watches are counted */

/* --- a page --- */

static void set_self(struct metrics *m)
{
	struct fleet_self self = { .may_probe = m->options.has_probes,
		.is_probing = m->is_probing };
	const struct stream_self *cost;
	struct buffer record = { 0 };

	collector_self(&os_native, &record, 0, 0);
	cost = (const void *)record.data;
	if (!buffer_failed(&record) && record.size >= sizeof(*cost)) {
		self.cpu_ns = cost->cpu_ns;
		self.rss_bytes = cost->rss_bytes;
	}
	if (m->server) {
		struct http_counts counts = http_server_counts(m->server);

		self.answers = counts.answered;
		self.refused = counts.refused;
	}
	fleet_set_self(m->fleet, &self);
	buffer_fini(&record);
}

static int emit_page(struct metrics *m, struct output *o, struct sooth_error *err)
{
	int status =
		output_begin(o, &(struct report_head){ "metrics", REPORT_SCHEMA_VERSION }, err);

	if (!status)
		status = fleet_emit(m->fleet, o, err);
	return status ? status : output_end(o, err);
}

int metrics_put(struct metrics *m, const struct sink_type *type, const struct sink_options *options,
	struct sooth_error *err)
{
	struct output *o = NULL;
	int status = output_new(&o, err);

	set_self(m);
	if (!status)
		status = output_add_sink(o, type, options, err);
	if (!status)
		status = emit_page(m, o, err);
	output_free(o);
	return status;
}

static int write_page(struct metrics *m, const char *format, FILE *stream, struct sooth_error *err)
{
	return metrics_put(
		m, registry_sink(format), &(struct sink_options){ .stream = stream }, err);
}

static int make_page(
	void *user, const char *format, char **text, size_t *size, struct sooth_error *err)
{
	FILE *stream = open_memstream(text, size);
	int status;

	if (!stream)
		return error_no_memory(err);
	status = write_page(user, format, stream, err);
	if (fclose(stream) && !status)
		status = error_no_memory(err);
	if (status) {
		free(*text);
		*text = NULL;
	}
	return status;
}

static uint64_t page_version(void *user)
{
	return fleet_samples(((struct metrics *)user)->fleet);
}

/* --- the file --- */

/* All users may read the file, so that it must be a new one or a regular one; and its folder
 * decides which file is replaced, so no other user may exchange that. */
static int check_file(const char *path, struct sooth_error *err)
{
	struct trust trust = invoker_trust();
	struct stat st;
	uid_t owner;
	_cleanup_close_ int folder = trusted_open_parent(&trust, path, &owner, err);

	if (folder < 0)
		return folder;
	if (lstat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
		return 0; /* out_file_open() refuses links */
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write metrics to %s", path);
	error_why(err, "it is no regular file");
	return error_remedy(err, "give the name of a new file: --textfile /run/sooth.prom");
}

/* node_exporter runs as a user of its own and reads the file, so that all users may. */
static int write_file(struct metrics *m, struct sooth_error *err)
{
	struct out_file file = { 0 };
	int status = check_file(m->options.file, err);

	if (!status)
		status = out_file_open(&file, m->options.file, false, err);
	if (!status)
		status = write_page(m, "prometheus", file.stream, err);
	if (!status && fchmod(fileno(file.stream), FILE_MODE))
		status = error_errno(err, -errno, "make %s readable", m->options.file);
	if (!status)
		status = out_file_commit(&file, err);
	out_file_close(&file);
	return status;
}

/* --- inotify watches --- */

static int add_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	(void)schema;
	fleet_add_record(user, record);
	return 0;
}

/* Observes the descriptors of agents, once. */
static int observe_descriptors(struct metrics *m, struct sooth_observer *o, struct sooth_report *r,
	const struct buffer *pids, struct sooth_error *err)
{
	int status;

	/* Processes that have ended since the last sample are left out. */
	buffer_each (const uint32_t, pid, pids)
		sooth_observer_add_pid(o, (pid_t)*pid, err);
	status = sooth_observer_add_probe(o, "fds", SOOTH_SAMPLE | SOOTH_ONCE, err);
	sooth_report_on_record(r, add_record, m->fleet);
	return status ? status : scan_observe_once(o, r, err);
}

/* Counts the watches less often: all descriptors have to be read. Where that fails, for example as
 * all of these processes have ended, the earlier numbers stay. */
static void count_watches(struct metrics *m)
{
	const struct sooth_observer_options options = {
		.size = sizeof(options), .may_be_gone = true, .may_be_refused = true
	};
	struct sooth_observer *o = NULL;
	struct sooth_report *r = NULL;
	struct buffer pids = { 0 };
	struct sooth_error ignored;

	fleet_append_pids(m->fleet, WATCHERS_MAX, &pids);
	if (pids.size && !buffer_failed(&pids) && !sooth_report_new(&r, "watches", &ignored) &&
		!sooth_observer_new(&o, &options, &ignored))
		observe_descriptors(m, o, r, &pids, &ignored);
	sooth_observer_free(o);
	sooth_report_free(r);
	buffer_fini(&pids);
}

/* --- all --- */

int metrics_open(struct metrics *m, const struct metrics_options *options,
	const struct target_found *target, struct sooth_error *err)
{
	struct fleet_options view = { .names = options->names,
		.sessions_most = options->sessions_most,
		.is_selected = target_found_has,
		.target = target };
	int status;

	*m = (struct metrics){ .options = *options };
	if (!options->http.address && !options->file && !options->is_pushed)
		return 0;
	if (options->file) {
		status = check_file(options->file, err);
		if (status)
			return status;
	}
	status = fleet_new(&m->fleet, &view, err);
	m->options.http.make = make_page;
	m->options.http.version = page_version;
	m->options.http.user = m;
	if (!status && options->http.address)
		status = http_server_open(&m->server, &m->options.http, err);
	return status;
}

int metrics_step(struct metrics *m, uint64_t now_ns, struct sooth_error *err)
{
	bool was_refused = m->is_file_refused;
	int status;

	if (m->server)
		http_server_serve(m->server);
	if (m->fleet && fleet_samples(m->fleet) && now_ns >= m->watches_ns) {
		count_watches(m);
		m->watches_ns = now_ns + WATCHES_NS;
	}
	if (!m->options.file || now_ns < m->file_ns || !fleet_samples(m->fleet))
		return 0;
	m->file_ns = now_ns + FILE_NS;
	status = write_file(m, err);
	m->is_file_refused = status != 0;
	return was_refused ? 0 : status;
}

void metrics_wait(struct metrics *m, int timeout_ms)
{
	if (m->server)
		http_server_wait(m->server, timeout_ms);
	else
		poll(NULL, 0, timeout_ms);
}

void metrics_close(struct metrics *m)
{
	http_server_close(m->server);
	fleet_free(m->fleet);
	*m = (struct metrics){ 0 };
}
