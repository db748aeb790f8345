/* SPDX-License-Identifier: BSD-2-Clause */
/* How often processes opened files, started processes and mapped memory, and how much they sent and
 * received, in total and per process. Only successful calls count. Bytes are those on IPv4 and IPv6
 * sockets. */
#include "analyze/calls/call_statistics.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_fold.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"

#define PROCESSES_MAX 65536
#define PEOPLE_ROWS   20

#define COUNTS(F, S)                                                                               \
	F(S, U64, files_opened, ALWAYS, "files opened", .label = "OPENS")                          \
	F(S, U64, sent_bytes, ALWAYS, "bytes sent on network sockets", .unit = SOOTH_UNIT_BYTES,   \
		.label = "SENT")                                                                   \
	F(S, U64, received_bytes, ALWAYS, "bytes received on network sockets",                     \
		.unit = SOOTH_UNIT_BYTES, .label = "RECEIVED")                                     \
	F(S, U64, processes_started, ALWAYS, "processes started, without threads",                 \
		.label = "STARTS")                                                                 \
	F(S, U64, memory_maps, ALWAYS, "successful calls of mmap", .label = "MAPS")

#define TOTAL_ROW(F, S)                                                                            \
	F(S, TEXT, what, ALWAYS, "statistics: of an interval; totals: of all the time")            \
	F(S, U64, duration_ns, ALWAYS, "time that was counted", .unit = SOOTH_UNIT_NS)             \
	F(S, U64, process_count, ALWAYS, "processes with any of these", .label = "PROCESSES")      \
	COUNTS(F, S)

#define PROCESS_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the process; empty: unknown")                            \
	COUNTS(F, S)

ROW_TABLE(total, TOTAL_ROW, "statistics", total_row,
	.line = "{what} of {duration_ns}: {files_opened} files opened, {sent_bytes} sent, "
		"{received_bytes} "
		"received, {processes_started} processes started, {memory_maps} memory maps");

ROW_TABLE(process, PROCESS_ROW, "statistics_by_process", statistics_row);

static const struct section total_section = SECTION_OF("statistics", total_schema, OBJECT);

static const struct section by_process = {
	.name = "statistics_by_process",
	.title = "by process",
	.schema = &process_schema,
	.shape = SECTION_TABLE,
	.rows_most = PEOPLE_ROWS,
	.if_empty =
		"no process opened a file, used the network, started a process or mapped memory",
};

struct statistics {
	uint64_t opened, sent, received, started, mapped;
};

struct named {
	struct statistics counts;
	char name[16];
};

struct sums {
	struct map processes; /* process_id -> struct named */
	uint64_t from_ns;
};

struct statistics_state {
	struct output *output;
	struct call_statistics_options options;
	struct call_fold fold;
	struct sums interval, all;
	uint64_t last_ns;
	bool is_over;
};

/* --- counting --- */

static bool is_network_descriptor(const struct folded_side *side)
{
	const struct fd_followed *file = side->is_there ? side->file : NULL;

	return file && file->kind == FD_FOLLOWED_SOCKET &&
	       (!strncmp(file->protocol, "TCP", 3) || !strncmp(file->protocol, "UDP", 3));
}

static struct statistics counts_of(const struct folded_call *c)
{
	return (struct statistics){
		.opened = (c->row->traits & SYSCALL_OPENS) != 0,
		.sent = is_network_descriptor(&c->to) ? c->bytes : 0,
		.received = is_network_descriptor(&c->from) ? c->bytes : 0,
		.started = folded_started(c) == FOLDED_TASK_PROCESS,
		.mapped = (c->row->traits & SYSCALL_MAPS) != 0,
	};
}

static void add_statistics(struct statistics *to, const struct statistics *counts)
{
	to->opened += counts->opened;
	to->sent += counts->sent;
	to->received += counts->received;
	to->started += counts->started;
	to->mapped += counts->mapped;
}

static bool are_counts_empty(const struct statistics *counts)
{
	static const struct statistics nothing;

	return !memcmp(counts, &nothing, sizeof(nothing));
}

static void count_call(
	struct sums *sums, const struct folded_call *c, const struct statistics *counts)
{
	struct named *one = map_put(&sums->processes, &c->process, NULL);
	struct span name = fd_follow_process(&c->fold->fds, &c->process);

	if (!one)
		return;
	add_statistics(&one->counts, counts);
	if (!name.size)
		return;
	memset(one->name, 0, sizeof(one->name));
	memcpy(one->name, name.data, name.size < sizeof(one->name) ? name.size : sizeof(one->name));
}

static int add_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct statistics_state *s = state;
	struct statistics counts;

	(void)err;
	if (!c->has_returned || c->is_error)
		return 0;
	counts = counts_of(c);
	if (are_counts_empty(&counts))
		return 0;
	count_call(&s->interval, c, &counts);
	count_call(&s->all, c, &counts);
	return 0;
}

static int handle_record(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct statistics_state *s = state;

	(void)err;
	if (r->kind == STREAM_BEGIN)
		s->interval.from_ns = s->all.from_ns = r->time_ns;
	if (r->time_ns > s->last_ns)
		s->last_ns = r->time_ns;
	s->is_over |= r->kind == STREAM_END;
	return 0;
}

static const struct call_fold_consumer consumer = { .record = handle_record, .call = add_call };

/* --- reporting --- */

static int emit_total(
	struct statistics_state *s, const struct sums *sums, bool is_all, struct sooth_error *err)
{
	struct total_row row = {
		.duration_ns = s->last_ns > sums->from_ns ? s->last_ns - sums->from_ns : 0,
		.process_count = sums->processes.count,
	};
	struct record_tail tail[] = { tail_string(&row.what, is_all ? "totals" : "statistics") };
	struct statistics total = { 0 };
	int status = output_section(s->output, &total_section, err);

	map_for_each_value (&sums->processes, const struct named *, value)
		add_statistics(&total, &value->counts);
	row.files_opened = total.opened;
	row.sent_bytes = total.sent;
	row.received_bytes = total.received;
	row.processes_started = total.started;
	row.memory_maps = total.mapped;
	return status ?: OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_process(struct statistics_state *s, const struct process_id *id,
	const struct named *one, struct sooth_error *err)
{
	struct statistics_row row = { .record = row_head(id),
		.files_opened = one->counts.opened,
		.sent_bytes = one->counts.sent,
		.received_bytes = one->counts.received,
		.processes_started = one->counts.started,
		.memory_maps = one->counts.mapped };
	struct record_tail tail[] = { tail_span(
		&row.name, span_of(one->name, strnlen(one->name, sizeof(one->name)))) };

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

struct sorted {
	const void *key;
	const struct named *one;
};

static uint64_t weight_of(const struct statistics *c)
{
	return c->opened + c->started + c->mapped + (c->sent + c->received) / 1024;
}

static int compare_by_weight(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	uint64_t of_x = weight_of(&x->one->counts), of_y = weight_of(&y->one->counts);

	return (of_y > of_x) - (of_y < of_x);
}

static int emit_processes(
	struct statistics_state *s, const struct sums *sums, struct sooth_error *err)
{
	struct sorted *all = calloc(sums->processes.count + 1, sizeof(*all));
	int status = all ? output_section(s->output, &by_process, err) : error_no_memory(err);
	size_t n = 0;

	map_for_each (map_while(all, &sums->processes), const void *, key, void *, value)
		all[n++] = (struct sorted){ key, value };
	if (n)
		qsort(all, n, sizeof(*all), compare_by_weight);
	for (size_t i = 0; i < n && !status; i++)
		status = emit_process(s, all[i].key, all[i].one, err);
	free(all);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct statistics_state *s = state;
	int status = call_fold_end(&s->fold, err);
	bool is_all = s->options.is_repeated && s->is_over;
	const struct sums *sums = is_all || !s->options.is_repeated ? &s->all : &s->interval;

	if (!status)
		status = emit_total(s, sums, is_all, err);
	if (!status)
		status = emit_processes(s, sums, err);
	map_clear(&s->interval.processes);
	s->interval.from_ns = s->last_ns;
	return status;
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct statistics_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct call_statistics_options *)options;
	map_init(&s->interval.processes, sizeof(struct process_id), sizeof(struct named),
		PROCESSES_MAX);
	map_init(&s->all.processes, sizeof(struct process_id), sizeof(struct named), PROCESSES_MAX);
	call_fold_init(&s->fold, &consumer, s);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct statistics_state *s = state;

	return call_fold_push(&s->fold, batch, err);
}

static void fini(void *state)
{
	struct statistics_state *s = state;

	map_fini(&s->interval.processes);
	map_fini(&s->all.processes);
	call_fold_fini(&s->fold);
}

static const struct sooth_schema *const tables[] = { &total_schema, &process_schema, NULL };

const struct stage_type stage_call_statistics = {
	.name = "call-statistics",
	.help = "file opens, network bytes, process starts and memory maps, by process",
	.shows = "syscalls",
	.tables = tables,
	STAGE_FUNCTIONS(struct statistics_state),
};
