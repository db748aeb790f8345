/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/agent_logs/agent_servers.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/agent_logs/agent_json.h"
#include "os/linux/agent_logs/agent_read.h"
#include "os/linux/agent_logs/agent_walk.h"
#include "os/linux/files/root_file.h"

#define FOLDER	   "/mcp-logs-" /* with the name of the server behind it */
#define TAIL_BYTES (64 << 10)
#define AGAIN_NS   (5 * NS_PER_S)

struct search {
	struct agent_read *job;
	int root;
};

/* {"debug": TEXT, "timestamp": …, "sessionId": …}, or "error" instead of "debug" */
static void take_line(struct agent_server_log *log, const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "debug"));
	const char *error = json_string_value(json_object_get(line, "error"));
	struct span said = span_of_string(text ? text : "");

	if (error && span_starts(span_of_string(error), "Ignoring non-JSON line")) {
		log->word_lines++;
		if (log->how == PROC_MCP_UNKNOWN) /* it stands further up */
			log->how = PROC_MCP_CONNECTED;
	} else if (span_starts(said, "Starting connection")) {
		log->how = PROC_MCP_CONNECTS;
		log->utc_ns = agent_json_utc_ns(line, "timestamp");
	} else if (span_starts(said, "Successfully connected")) {
		log->how = PROC_MCP_CONNECTED;
	} else if (log->how == PROC_MCP_CONNECTS && span_contains(said, "onnection failed after")) {
		log->how = span_contains(said, "timed out") ? PROC_MCP_MUTE : PROC_MCP_FAILED;
	}
}

static bool is_unconnected(const struct agent_server_log *log)
{
	return log->how != PROC_MCP_UNKNOWN && log->how != PROC_MCP_CONNECTED;
}

static bool is_worse(const struct agent_server_log *a, const struct agent_server_log *b)
{
	return is_unconnected(a) != is_unconnected(b) ? is_unconnected(a)
						      : a->word_lines > b->word_lines;
}

static bool take_log(void *user, const char *path, const struct stat *seen)
{
	const struct search *s = user;
	static const char *const marks[AGENT_MARKS_MAX] = { "onnect", "non-JSON" };
	const char *name = strstr(path, FOLDER), *end = name ? strrchr(name, '/') : NULL;
	struct buffer bytes = { 0 };
	struct cursor c;
	struct agent_server_log log = { 0 };
	struct stat st;
	_cleanup_close_ int fd = -1;
	off_t from;

	if (!name || end == name || /* of an earlier process */
		((uint64_t)seen->st_mtim.tv_sec + 2) * NS_PER_S < s->job->start_utc_ns)
		return true;
	fd = root_file_open_owned(s->root, path, s->job->uid, &st);
	if (fd < 0)
		return true;
	from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	root_file_read(fd, &bytes, (uint64_t)from, TAIL_BYTES);
	c = cursor_over(bytes.data, bytes.size);
	while (!cursor_at_end(&c)) {
		_cleanup_json_ json_t *json = agent_json_marked(cursor_line(&c), marks);

		if (json && agent_json_is(json, "sessionId", s->job->info.session))
			take_line(&log, json);
	}
	buffer_fini(&bytes);
	name += strlen(FOLDER);
	if (!agent_word_is_plain(span_of(name, (size_t)(end - name)), AGENT_SERVER_MAX) ||
		(is_unconnected(&log) && !agent_read_is_since_start(s->job, log.utc_ns)))
		return true;
	snprintf(log.name, sizeof(log.name), "%.*s", (int)(end - name), name);
	if (is_worse(&log, &s->job->servers.worst))
		s->job->servers.worst = log;
	return true;
}

void agent_servers_read(struct agent_read *job, int root)
{
	assert(job);

	struct agent_path values = { .session = span_of_string(job->info.session),
		.directory = span_of_string(job->directory) };
	struct search s = { .job = job, .root = root };
	struct agent_walk walk = { .root = root,
		.values = &values,
		.project_file = "",
		.end_cpu_ns = job->end_cpu_ns,
		.visit = take_log,
		.user = &s };
	uint64_t now = clock_monotonic_ns();
	int status;

	if (job->servers.read_ns && job->servers.read_ns + AGAIN_NS > now)
		return;
	job->servers = (struct agent_servers){ 0 };
	status = agent_walk(&walk, job->home, job->files.server_logs);
	job->servers.is_cut = status == -E2BIG || status == -EDQUOT;
	if (walk.seen)
		job->servers.read_ns = now;
}
