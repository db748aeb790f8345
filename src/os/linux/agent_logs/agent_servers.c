/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/agent_logs/agent_servers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/agent_logs/agent_json.h"
#include "os/linux/agent_logs/agent_walk.h"
#include "os/linux/files/root_file.h"

#define FOLDER	   "/mcp-logs-" /* with the name of the server behind it */
#define TAIL_BYTES (64u << 10)
#define AGAIN_NS   (5 * NS_PER_S)
#define SLACK_NS   (2 * NS_PER_S)

struct server_log {
	enum proc_mcp_start how;
	uint64_t utc_ns; /* since when */
	uint32_t word_lines;
};

struct search {
	struct agent_servers *found;
	const struct agent_servers_request *r;
};

static void take_state(struct server_log *log, enum proc_mcp_start how, uint64_t utc_ns)
{
	log->how = how;
	log->utc_ns = utc_ns;
}

/* {"debug": TEXT, "timestamp": …, "sessionId": …}, or "error" instead of "debug" */
static void take_line(struct server_log *log, const json_t *line)
{
	const char *text = json_string_value(json_object_get(line, "debug"));
	const char *error = json_string_value(json_object_get(line, "error"));
	uint64_t utc_ns = agent_json_utc_ns(line, "timestamp");
	struct span said = span_of_string(text ? text : "");

	if (error && span_starts(span_of_string(error), "Ignoring non-JSON line"))
		log->word_lines++;
	else if (span_starts(said, "Starting connection"))
		take_state(log, PROC_MCP_CONNECTS, utc_ns);
	else if (span_starts(said, "Successfully connected"))
		take_state(log, PROC_MCP_CONNECTED, utc_ns);
	else if (log->how == PROC_MCP_CONNECTS && span_contains(said, "onnection failed after"))
		take_state(log,
			span_contains(said, "CONNECT_TIMEOUT") || span_contains(said, "timed out")
				? PROC_MCP_MUTE
				: PROC_MCP_FAILED,
			log->utc_ns);
}

static void read_lines(struct server_log *log, struct span text, const char *session)
{
	static const char *const marks[AGENT_MARKS_MAX] = { "onnect", "non-JSON" };
	struct cursor c = cursor_over(text.data, text.size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		_cleanup_json_ json_t *json = agent_json_marked(line, marks);

		if (json && agent_json_is(json, "sessionId", session))
			take_line(log, json);
	}
}

static void name_server(char name[AGENT_SERVER_MAX + 1], struct span folder)
{
	bool is_plain = agent_word_is_plain(folder, AGENT_SERVER_MAX);

	snprintf(name, AGENT_SERVER_MAX + 1, "%.*s", is_plain ? (int)folder.size : 0, folder.data);
}

static void keep_worse(struct agent_servers *s, const struct server_log *log, struct span name)
{
	bool is_trouble = log->how == PROC_MCP_CONNECTS || log->how > PROC_MCP_CONNECTED;

	if (is_trouble && (!s->start[0] || log->utc_ns < s->start_utc_ns)) {
		name_server(s->start, name);
		s->start_utc_ns = log->utc_ns;
		s->how = log->how;
	}
	if (log->word_lines > s->word_lines) {
		name_server(s->words, name);
		s->word_lines = log->word_lines;
	}
}

static bool take_log(void *user, const char *path, const struct stat *seen)
{
	struct search *s = user;
	uint64_t changed_ns = (uint64_t)seen->st_mtim.tv_sec * NS_PER_S;
	const char *name = strstr(path, FOLDER), *end;
	_cleanup_close_ int fd = -1;
	struct buffer bytes = { 0 };
	struct server_log log = { 0 };
	struct stat st;
	uint64_t from;

	if (!name || changed_ns + SLACK_NS < s->r->start_utc_ns)
		return true;
	name += strlen(FOLDER);
	end = strchr(name, '/');
	fd = root_file_open_owned(s->r->root, path, s->r->uid, &st);
	if (!end || fd < 0)
		return true;
	from = (uint64_t)st.st_size > TAIL_BYTES ? (uint64_t)st.st_size - TAIL_BYTES : 0;
	if (!root_file_read(fd, &bytes, from, TAIL_BYTES))
		read_lines(&log, span_of((const char *)bytes.data, bytes.size), s->r->session);
	keep_worse(s->found, &log, span_of(name, (size_t)(end - name)));
	buffer_fini(&bytes);
	return true;
}

void agent_servers_read(struct agent_servers *servers, const struct agent_servers_request *request)
{
	assert(servers);
	assert(request);

	struct agent_path values = { .session = span_of_string(request->session),
		.directory = span_of_string(request->directory) };
	struct search s = { .found = servers, .r = request };
	struct agent_walk walk = { .root = request->root,
		.values = &values,
		.project_file = "",
		.end_cpu_ns = request->end_cpu_ns,
		.visit = take_log,
		.user = &s };
	uint64_t now = clock_monotonic_ns();

	if (servers->read_ns && servers->read_ns + AGAIN_NS > now)
		return;
	*servers = (struct agent_servers){ 0 };
	if (!agent_walk(&walk, request->home, request->pattern) && walk.seen)
		servers->read_ns = now;
}
