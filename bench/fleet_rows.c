/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulates hosts with agents, and writes what `sooth export --format tsv` would write of their
 * histories: fleet_rows FIRST COUNT SPANS ANSWERS >TRUTH. COUNT hosts from FIRST on have their rows
 * in the files. TRUTH is what was simulated, a line each: QUESTION, keys, values.
 * It is counted while sessions are simulated, and knows neither rows nor SQL.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS	   1000000000ull
#define WEEK_UTC_S 1795996800ul /* a Monday, 0:00 UTC */
#define WEEK_S	   (7 * 86400)
#define SPAN_S	   60
#define LONG_S	   600 /* an answer goes on: another record */
#define ALONE_S	   1800
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

#define SPAN_NAMES                                                                                 \
	"host\tboot_id\ttime_ns\tpid\tstart_ticks\ttid\tcpu\tstart_ns\tend_utc_"                   \
	"ns\tstate\tsource\t"                                                                      \
	"confidence\tagent\tsession\tproject\tname\ttool_command\ttool_pid\tcpu_ns\town_cpu_ns\t"  \
	"rss_bytes\twritten_bytes\tread_bytes\tio_calls\tturns\tinput_tokens\toutput_tokens\t"     \
	"context_tokens\tmodel\tsamples\tphase_flags\tend\tversion\tnot_measured\n"
#define SPAN_TYPES                                                                                 \
	"String\tString\tUInt64\tUInt32\tUInt64\tNullable(UInt32)\tNullable(UInt16)\tUInt64\t"     \
	"UInt64\tString\tString\tString\tString\tString\tString\tString\tString\t"                 \
	"Nullable(UInt32)\tNullable(UInt64)\tUInt64\tUInt64\tNullable(UInt64)\tNullable(UInt64)\t" \
	"Nullable(UInt64)\tNullable(UInt32)\tNullable(UInt64)\tNullable(UInt64)\t"                 \
	"Nullable(UInt64)\tString\tUInt32\tUInt8\tNullable(String)\tString\tString\n"
#define ANSWER_NAMES                                                                               \
	"host\tboot_id\ttime_ns\tpid\tstart_ticks\ttid\tcpu\tstart_ns\tstart_utc_ns\tend_utc_ns\t" \
	"subject_pid\tsubject_start_ticks\tis_cleared\tid\ttext\tseverity\tconfidence\tremedy\t"   \
	"agent\tsession\tproject\tkey\tsubject_name\tnot_measured\n"
#define ANSWER_TYPES                                                                               \
	"String\tString\tUInt64\tUInt32\tUInt64\tNullable(UInt32)\tNullable(UInt16)\tUInt64\t"     \
	"UInt64\tUInt64\tUInt32\tUInt64\tUInt8\tString\tString\tString\tString\tString\tString\t"  \
	"String\tString\tString\tString\tString\n"

static const struct {
	const char *agent, *version, *model;
	unsigned leak_mb_h;
} kinds[] = {
	{ "claude", "2.1.300", "claude-sonnet-4-5", 40 },
	{ "claude", "2.1.328", "claude-sonnet-4-5", 0 },
	{ "claude", "2.0.50", "claude-opus-4-1", 0 },
	{ "codex", "0.160.0", "gpt-5-codex", 15 },
	{ "codex", "0.169.0", "gpt-5-codex", 0 },
	{ "gemini", "0.61.0", "gemini-2.5-pro", 0 },
};
static const char *const tools[] = { "npm test", "cargo build", "pytest -q", "make -j8",
	"git status", "rg -n TODO", "go test ./...", "docker build ." };
static const char *const servers[] = { "server-filesystem", "server-github", "server-postgres",
	"playwright-mcp", "server-memory" };
static const char *const ends[] = { "exited with status 0", "exited with status 1",
	"killed by SIGTERM from systemd (pid 1)", "killed by the kernel: out of memory" };

#define PROJECTS 40
#define DAYS	 7

/* What was simulated. */
static struct {
	uint64_t sessions[COUNT(kinds)], killed[COUNT(kinds)];
	uint64_t left[COUNT(servers)], left_ms[COUNT(servers)];
	uint64_t alone_tokens[PROJECTS];
	uint64_t state_ms[COUNT(kinds)][8];
	uint64_t calls[COUNT(tools)], call_ms[COUNT(tools)];
	uint64_t turns[COUNT(kinds)], model_ms[COUNT(kinds)];
	uint64_t tokens[DAYS][COUNT(kinds)];
	uint64_t spans, answers;
} truth;

enum state { IDLE, MODEL, TOOL, MCP, COMPUTES, USER, STATES };
static const char *const state_names[] = { "idle", "waits_for_model", "runs_tool", "talks_to_mcp",
	"computes", "waits_for_user" };
static const char *const sources[] = { "session file", "session file", "session file", "log",
	"processes", "session file" };

static uint64_t seed;

/* splitmix64: the same week on each machine. */
static uint64_t draw(uint64_t below)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

/* --- lines --- */

struct lines {
	FILE *file;
	char bytes[1 << 20];
	size_t size;
};

static struct lines spans, answers;

static void put_text(struct lines *l, const char *text)
{
	size_t size = strlen(text);

	memcpy(l->bytes + l->size, text, size);
	l->size += size;
	l->bytes[l->size++] = '\t';
}

static void put_number(struct lines *l, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + value % 10);
	while (value /= 10);
	memcpy(l->bytes + l->size, digits + n, sizeof(digits) - n);
	l->size += sizeof(digits) - n;
	l->bytes[l->size++] = '\t';
}

static void flush(struct lines *l)
{
	if (fwrite(l->bytes, 1, l->size, l->file) != l->size)
		exit(1);
	l->size = 0;
}

/* The last tab becomes the end of the line. */
static void end_line(struct lines *l)
{
	l->bytes[l->size - 1] = '\n';
	if (l->size > sizeof(l->bytes) - 4096)
		flush(l);
}

/* --- a session --- */

struct host {
	char name[32], boot[40];
	uint64_t boot_ms;   /* since the begin of the week; of CLOCK_MONOTONIC */
	uint64_t silent_ms; /* when its monitor ended */
	uint64_t stalls, stall_ms, last_ms;
};

struct session {
	struct host *host;
	uint64_t begin_ms, now_ms, pid, ticks, context;
	uint64_t alone_ms, alone_tokens; /* since its user last acted */
	char id[40], project_name[16];
	unsigned kind, project;
	bool has_ended;
};

static uint64_t monotonic_ns(const struct host *h, uint64_t ms)
{
	return (ms + 100000000 - h->boot_ms) * 1000000;
}

static uint64_t utc_ns(uint64_t ms)
{
	return WEEK_UTC_S * NS + ms * 1000000;
}

static void put_head(struct lines *l, const struct session *s, uint64_t to_ms, uint64_t from_ms)
{
	put_text(l, s->host->name);
	put_text(l, s->host->boot);
	put_number(l, monotonic_ns(s->host, to_ms));
	put_number(l, s->pid);
	put_number(l, s->ticks);
	put_text(l, "\\N");
	put_text(l, "\\N");
	put_number(l, monotonic_ns(s->host, from_ms));
}

struct use {
	uint64_t turns, input, output;
	const char *name, *command, *end;
	uint64_t extra_mb; /* of a tool */
};

static void put_span(const struct session *s, enum state state, uint64_t from_ms, uint64_t to_ms,
	const struct use *u, unsigned flags)
{
	uint64_t ms = to_ms - from_ms;
	/* In a whole number of bytes a ms, so that the slope is exact. */
	uint64_t leak = kinds[s->kind].leak_mb_h * 1000000ull / 3600 * (to_ms - s->begin_ms) / 1000;
	struct lines *l = &spans;

	put_head(l, s, to_ms, from_ms);
	put_number(l, utc_ns(to_ms));
	put_text(l, state_names[state]);
	put_text(l, sources[state]);
	put_text(l, state == COMPUTES ? "medium" : "high");
	put_text(l, kinds[s->kind].agent);
	put_text(l, s->id);
	put_text(l, s->project_name);
	put_text(l, u->name);
	put_text(l, u->command);
	if (*u->command)
		put_number(l, s->pid + 7);
	else
		put_text(l, "\\N");
	put_number(l, ms * (state == COMPUTES ? 900000 : 20000));
	put_number(l, ms * 15000);
	put_number(l, (uint64_t)(300 + u->extra_mb) * 1000000 + leak);
	put_number(l, ms * 12);
	put_number(l, ms * 80);
	put_number(l, ms / 10);
	put_number(l, u->turns);
	put_number(l, u->input);
	put_number(l, u->output);
	put_number(l, s->context);
	put_text(l, kinds[s->kind].model);
	put_number(l, ms / 2000);
	put_number(l, flags);
	put_text(l, u->end ? u->end : "\\N");
	put_text(l, kinds[s->kind].version);
	put_text(l, "");
	end_line(l);
	truth.spans++;
}

/* One phase, as spans of at most a minute; the use stands in the last. A monitor that ended wrote
 * nothing from then on. */
static void phase(struct session *s, enum state state, uint64_t ms, struct use u)
{
	struct use none = { .name = u.name, .command = u.command, .extra_mb = u.extra_mb };
	uint64_t from = s->now_ms, end = s->now_ms + ms;
	unsigned flags = 1;

	s->now_ms = end;
	if (end > s->host->silent_ms) {
		s->has_ended = true;
		return;
	}
	truth.state_ms[s->kind][state] += ms;
	truth.turns[s->kind] += u.turns;
	if (state == MODEL)
		truth.model_ms[s->kind] += ms;
	truth.tokens[end / 86400000][s->kind] += u.input + u.output;
	s->context += u.input / 100;
	s->host->last_ms = end > s->host->last_ms ? end : s->host->last_ms;
	for (; end - from > SPAN_S * 1000; from += SPAN_S * 1000, flags = 0)
		put_span(s, state, from, from + SPAN_S * 1000, &none, flags);
	put_span(s, state, from, end, &u, flags | (u.end ? 2 : 0));
}

/* A finding, in records of at most ten minutes. */
static void finding(const struct session *s, const char *id, const char *severity, const char *text,
	const char *subject, uint64_t pid, uint64_t from_ms, uint64_t ms)
{
	uint64_t end = from_ms + ms, to;
	struct lines *l = &answers;
	char key[96];

	snprintf(key, sizeof(key), "%s:%" PRIu64 "@%" PRIu64 ":%" PRIu64, id, pid, s->ticks,
		from_ms);
	for (; from_ms < end; from_ms = to) {
		to = end - from_ms > LONG_S * 1000 ? from_ms + LONG_S * 1000 : end;
		put_head(l, s, to, from_ms);
		put_number(l, utc_ns(from_ms));
		put_number(l, utc_ns(to));
		put_number(l, pid);
		put_number(l, s->ticks);
		put_number(l, to == end);
		put_text(l, id);
		put_text(l, text);
		put_text(l, severity);
		put_text(l, "high");
		put_text(l, "");
		put_text(l, kinds[s->kind].agent);
		put_text(l, s->id);
		put_text(l, s->project_name);
		put_text(l, key);
		put_text(l, subject);
		put_text(l, "");
		end_line(l);
		truth.answers++;
	}
}

static const struct use nothing = { .name = "", .command = "" };

/* The user acts: what the session did alone is over. */
static void user_acts(struct session *s)
{
	if (s->alone_ms > ALONE_S * 1000)
		truth.alone_tokens[s->project] += s->alone_tokens;
	s->alone_ms = s->alone_tokens = 0;
}

static void alone(struct session *s, enum state state, uint64_t ms, struct use u)
{
	phase(s, state, ms, u);
	if (!s->has_ended) {
		s->alone_ms += ms;
		s->alone_tokens += u.input + u.output;
	}
}

static void wait_for_model(struct session *s)
{
	struct use u = nothing;
	uint64_t ms = 2000 + draw(30000), from = s->now_ms;
	bool is_stalled = !draw(400);

	if (is_stalled)
		ms += 60000 + draw(240000);
	u.turns = 1;
	u.input = 1000 + draw(20000);
	u.output = 50 + draw(1500);
	alone(s, MODEL, ms, u);
	if (is_stalled && !s->has_ended) {
		finding(s, "stream-stalled", "medium", "waiting for the model: no data",
			kinds[s->kind].agent, s->pid, from + 30000, ms - 30000);
		s->host->stalls++;
		s->host->stall_ms += ms - 30000;
	}
}

static void call_tool(struct session *s)
{
	unsigned tool = (unsigned)draw(COUNT(tools));
	struct use u = { .name = "Bash", .command = tools[tool], .extra_mb = 200 };
	uint64_t ms = 500 + draw(10000) * (tool + 1);

	alone(s, TOOL, ms, u);
	if (!s->has_ended) {
		truth.calls[tool]++;
		truth.call_ms[tool] += ms;
	}
}

static void call_server(struct session *s, unsigned server)
{
	struct use u = { .name = servers[server], .command = "" };

	alone(s, MCP, 200 + draw(8000), u);
}

static void with_user(struct session *s, enum state state, uint64_t ms)
{
	phase(s, state, ms, nothing);
	user_acts(s);
}

static void work(struct session *s, unsigned server)
{
	for (uint64_t turns = 1 + draw(draw(10) ? 25 : 150); turns && !s->has_ended; turns--) {
		wait_for_model(s);
		if (draw(3))
			call_tool(s);
		if (!draw(6))
			call_server(s, server);
		if (!draw(4))
			alone(s, COMPUTES, 100 + draw(4000), nothing);
	}
}

/* The last span has the end. A server may be left behind. */
static void end_session(struct session *s, unsigned server)
{
	unsigned how = (unsigned)draw(20), end = how < 16 ? 0 : how - 16;
	struct use u = nothing;

	u.end = ends[end];
	phase(s, IDLE, 1000 + draw(5000), u);
	if (s->has_ended)
		return;
	user_acts(s);
	truth.sessions[s->kind]++;
	truth.killed[s->kind] += end == 3;
	if (!draw(10 + 5 * server)) {
		uint64_t ms = 120000 + draw(4 * 3600000);

		if (s->now_ms + ms > s->host->silent_ms)
			return;
		finding(s, "mcp-abandoned", "medium", "MCP server with no client, still running",
			servers[server], s->pid + 3, s->now_ms, ms);
		truth.left[server]++;
		truth.left_ms[server] += ms;
	}
}

static void simulate_session(struct host *h, unsigned number, uint64_t begin_ms, uint64_t until_ms)
{
	struct session s = { .host = h,
		.begin_ms = begin_ms,
		.now_ms = begin_ms,
		.pid = 1000 + number * 11,
		.ticks = (begin_ms + 100000000 - h->boot_ms) / 10,
		.context = 8000 };
	unsigned server = (unsigned)draw(COUNT(servers));

	s.kind = (unsigned)draw(COUNT(kinds));
	s.project = (unsigned)draw(PROJECTS);
	snprintf(s.project_name, sizeof(s.project_name), "project-%02u", s.project);
	snprintf(s.id, sizeof(s.id), "%016" PRIx64, draw(UINT64_MAX));
	while (s.now_ms < until_ms && !s.has_ended) {
		with_user(&s, draw(4) ? IDLE : USER, 5000 + draw(draw(8) ? 300000 : 3600000));
		if (!s.has_ended)
			work(&s, server);
	}
	if (!s.has_ended)
		end_session(&s, server);
	else
		user_acts(&s); /* what is known of it ends there */
}

/* --- hosts --- */

static void begin_boot(struct host *h, unsigned number, unsigned boot, uint64_t at_ms)
{
	h->boot_ms = at_ms;
	snprintf(h->boot, sizeof(h->boot), "%08x-0000-4000-8000-%012x", number, boot);
}

/* Five sessions a day, side by side; each tenth host is booted again on Wednesday night. */
static void simulate_host(unsigned number)
{
	struct host h = { .silent_ms = (WEEK_S - 1) * 1000ull };
	unsigned session = 0;

	seed = 77 + number * 1000003ull;
	snprintf(h.name, sizeof(h.name), "dev-%04u", number);
	begin_boot(&h, number, 0, 0);
	if (number % 139 == 5)
		h.silent_ms = (uint64_t)(3 * 86400 + number * 60) * 1000;
	for (unsigned day = 0; day < DAYS; day++) {
		uint64_t day_ms = day * 86400000ull;

		if (day == 3 && number % 10 == 0)
			begin_boot(&h, number, 1, day_ms);
		for (unsigned i = 0; i < 5; i++) {
			uint64_t begin = day_ms + draw(6 * 3600000);

			simulate_session(
				&h, session++, begin, begin + 4 * 3600000 + draw(8 * 3600000));
		}
	}
	printf("hosts-by-stalls\t%s\t%" PRIu64 "\t%" PRIu64 "\n", h.name, h.stalls, h.stall_ms);
	printf("silent-hosts\t%s\t%" PRIu64 "\n", h.name, WEEK_UTC_S + h.last_ms / 1000);
}

static void print_kinds(void)
{
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		const char *agent = kinds[i].agent, *version = kinds[i].version;

		printf("versions-by-growth\t%s\t%s\t%u\n", agent, version, kinds[i].leak_mb_h);
		printf("ends\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n", agent, version,
			truth.sessions[i], truth.killed[i]);
		for (unsigned state = 0; state < STATES; state++)
			printf("time-by-state\t%s\t%s\t%" PRIu64 "\n", agent, state_names[state],
				truth.state_ms[i][state]);
		printf("model-time\t%s\t%" PRIu64 "\t%" PRIu64 "\n", kinds[i].model, truth.turns[i],
			truth.model_ms[i]);
		for (unsigned day = 0; day < DAYS; day++)
			printf("tokens-by-day\t%" PRIu64 "\t%s\t%" PRIu64 "\n",
				WEEK_UTC_S / 86400 + day, kinds[i].model, truth.tokens[day][i]);
	}
}

static void print_truth(void)
{
	print_kinds();
	for (unsigned i = 0; i < COUNT(servers); i++)
		printf("servers-left\t%s\t%" PRIu64 "\t%" PRIu64 "\n", servers[i], truth.left[i],
			truth.left_ms[i]);
	for (unsigned i = 0; i < COUNT(tools); i++)
		printf("slow-tools\t%s\t%" PRIu64 "\t%" PRIu64 "\n", tools[i], truth.calls[i],
			truth.call_ms[i]);
	for (unsigned i = 0; i < PROJECTS; i++)
		printf("tokens-alone\tproject-%02u\t%" PRIu64 "\n", i, truth.alone_tokens[i]);
	printf("rows\tphase_span\t%" PRIu64 "\nrows\tanswer_span\t%" PRIu64 "\n", truth.spans,
		truth.answers);
}

static FILE *open_rows(const char *path, const char *names, const char *types)
{
	FILE *file = fopen(path, "w");

	if (!file) {
		perror(path);
		exit(1);
	}
	fputs(names, file);
	fputs(types, file);
	return file;
}

int main(int argc, char **argv)
{
	unsigned first, count;

	if (argc != 5) {
		fputs("fleet_rows FIRST COUNT SPANS ANSWERS >TRUTH\n", stderr);
		return 2;
	}
	first = (unsigned)atoi(argv[1]);
	count = (unsigned)atoi(argv[2]);
	spans.file = open_rows(argv[3], SPAN_NAMES, SPAN_TYPES);
	answers.file = open_rows(argv[4], ANSWER_NAMES, ANSWER_TYPES);
	for (unsigned i = first; i < first + count; i++)
		simulate_host(i);
	flush(&spans);
	flush(&answers);
	print_truth();
	return fclose(spans.file) || fclose(answers.file) ? 1 : 0;
}
