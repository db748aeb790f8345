/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/metrics.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/units.h"
#include "collect/collector.h"
#include "explain/registry.h"
#include "model/stream_records.h"
#include "os/os.h"

#define FILE_NS	  (15 * NS_PER_S) /* node_exporter reads it a few times a minute */
#define FILE_MODE 0644

/* --- a page --- */

static void set_self(struct metrics *m)
{
	struct fleet_self self = { 0 };
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

static int write_page(struct metrics *m, const char *format, FILE *stream, struct sooth_error *err)
{
	struct output *o = NULL;
	int status = output_new(&o, err);

	set_self(m);
	if (!status)
		status = output_add_sink(
			o, registry_sink(format), &(struct sink_options){ .stream = stream }, err);
	if (!status)
		status = emit_page(m, o, err);
	output_free(o);
	return status;
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

/* node_exporter runs as a user of its own and reads the file, so that all users may. */
static int write_file(struct metrics *m, struct sooth_error *err)
{
	struct out_file file = { 0 };
	int status = out_file_open(&file, m->options.file, false, err);

	if (!status)
		status = write_page(m, "prometheus", file.stream, err);
	if (!status && fchmod(fileno(file.stream), FILE_MODE))
		status = error_errno(err, -errno, "make %s readable", m->options.file);
	if (!status)
		status = out_file_commit(&file, err);
	out_file_close(&file);
	return status;
}

/* --- all --- */

int metrics_open(struct metrics *m, const struct metrics_options *options, struct sooth_error *err)
{
	struct fleet_options view = { .hash_names = options->hash_names };
	int status;

	*m = (struct metrics){ .options = *options };
	if (!options->http.address && !options->file)
		return 0;
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
