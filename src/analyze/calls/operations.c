/* SPDX-License-Identifier: BSD-2-Clause */
/* The work of calls: on files, over connections, to start and end processes, to get memory. Only
 * single calls show that; counts do not suffice. */
#include "analyze/calls/operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_fold.h"
#include "analyze/calls/call_notes.h"
#include "analyze/calls/operation_lives.h"
#include "analyze/calls/operation_rows.h"
#include "analyze/calls/operation_sums.h"
#include "analyze/sockets/peer_labels.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/output.h"
#include "explain/stage.h"
#include "model/stream_records.h"
#include "probes/signal_names.h"

#define PEOPLE_ROWS 40 /* most rows per table in text; -j prints all */

struct operations_state {
	struct output *output;
	struct operations_options options;
	struct call_fold fold;
	struct operation_sums interval, all;
	struct operation_lives lives;
	struct peer_labels labels;
	struct call_notes notes;
	bool has_calls, has_counts, has_uring, is_over, has_unseen;
};

static bool wants_all_operations(const struct operations_options *o)
{
	return !o->io && !o->network && !o->process && !o->memory;
}

static int handle_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct operations_state *s = state;

	(void)err;
	s->has_calls = true;
	if (s->options.by_process)
		operation_lives_name(&s->lives, c->call);
	operation_sums_add_call(&s->interval, c);
	if (s->options.is_repeated)
		operation_sums_add_call(&s->all, c);
	return 0;
}

static int handle_record(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct operations_state *s = state;
	const struct syscalls_uring_done *done =
		record_as(r, SYSCALLS_URING_DONE, sizeof(struct syscalls_uring_done));

	(void)err;
	if (done) {
		operation_sums_add_request(&s->interval, &s->fold, done);
		if (s->options.is_repeated)
			operation_sums_add_request(&s->all, &s->fold, done);
		call_notes_followed(&s->notes, done->opcode);
		s->has_calls = true;
	}
	if (r->kind != SYSCALLS_CALL)
		operation_lives_add_record(&s->lives, r);
	operation_sums_follow(&s->interval, r);
	operation_sums_follow(&s->all, r);
	call_notes_add_record(&s->notes, r);
	s->has_counts |= r->kind == SYSCALLS_COUNT;
	s->has_uring |= r->kind == SYSCALLS_URING;
	s->is_over |= r->kind == STREAM_END;
	return 0;
}

static const struct call_fold_consumer consumer = { .record = handle_record, .call = handle_call };

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct operations_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct operations_options *)options;
	operation_sums_init(&s->interval, s->options.by_process);
	operation_sums_init(&s->all, s->options.by_process);
	operation_lives_init(&s->lives);
	peer_labels_init(&s->labels);
	call_fold_init(&s->fold, &consumer, s);
	if (call_notes_init(&s->notes, err))
		return err->code;
	return peer_labels_load(&s->labels, s->options.labels, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct operations_state *s = state;

	return call_fold_push(&s->fold, batch, err);
}

/* --- reporting --- */

struct sorted {
	const void *key;
	void *value;
	uint64_t weight;
};

static int compare_by_weight(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	return (y->weight > x->weight) - (y->weight < x->weight);
}

/* Returns the entries with most weight first; the caller frees them. */
static struct sorted *sort_by_weight(const struct map *m, uint64_t (*weigh)(const void *value))
{
	struct sorted *all = calloc(m->count + 1, sizeof(*all));
	size_t position = 0, n = 0;

	while (all && map_next(m, &position, &all[n].key, &all[n].value)) {
		all[n].weight = weigh(all[n].value);
		n++;
	}
	if (all)
		qsort(all, n, sizeof(*all), compare_by_weight);
	return all;
}

static uint64_t weigh_io(const void *value)
{
	const struct io_sum *sum = value;

	return sum->read_bytes + sum->written_bytes;
}

static uint64_t weigh_network(const void *value)
{
	const struct network_sum *sum = value;

	return sum->sent_bytes + sum->received_bytes;
}

static uint64_t weigh_memory(const void *value)
{
	return ((const struct memory_sum *)value)->bytes;
}

/* Returns the name of the process of a sum, if sums are kept per process. */
static struct span emit_owner(const struct operations_state *s, const struct process_id *process,
	struct sooth_record *record, uint8_t *state)
{
	const struct life *life;

	*state = state_if(s->options.by_process);
	*record = row_head(process);
	life = map_get(&s->lives.all, process);
	return life ? span_of(life->name, strnlen(life->name, sizeof(life->name))) : span_of("", 0);
}

static uint64_t mean_of(const struct operation_times *t)
{
	return t->timed ? t->total_ns / t->timed : 0;
}

static uint8_t times_state(struct operations_state *s, const struct operation_times *t)
{
	s->has_unseen |= t->unseen != 0;
	return t->timed	   ? SOOTH_STATE_VALUE
	       : t->unseen ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN)
			   : SOOTH_STATE_ABSENT;
}

static int emit_file(struct operations_state *s, const struct sorted *one, struct sooth_error *err)
{
	static const char *const kinds[] = { "file", "directory", "pipe", "socket", "terminal",
		"other" };
	const struct operation_path *path = one->key;
	const struct io_sum *sum = one->value;
	struct io_row row = { .read_bytes = sum->read_bytes,
		.written_bytes = sum->written_bytes,
		.reads = sum->reads,
		.writes = sum->writes,
		.opens = sum->opens,
		.rewrites = sum->rewrites,
		.errors = sum->errors,
		.total_ns = sum->times.total_ns,
		.mean_ns = mean_of(&sum->times),
		.times_state = times_state(s, &sum->times),
		.max_ns = sum->times.max_ns };
	struct record_tail tail[] = {
		tail_span(&row.process,
			emit_owner(s, &path->process, &row.record, &row.process_state)),
		tail_string(&row.path, path->text),
		tail_string(&row.kind, kinds[sum->kind % ARRAY_SIZE(kinds)]),
	};

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_connection(
	struct operations_state *s, const struct sorted *one, struct sooth_error *err)
{
	const struct operation_path *path = one->key;
	const struct network_sum *sum = one->value;
	struct network_row row = { .sent_bytes = sum->sent_bytes,
		.received_bytes = sum->received_bytes,
		.sends = sum->sends,
		.receives = sum->receives,
		.connects = sum->connects,
		.errors = sum->errors,
		.total_ns = sum->times.total_ns,
		.mean_ns = mean_of(&sum->times),
		.times_state = times_state(s, &sum->times),
		.label_state = SOOTH_STATE_ABSENT,
		.max_ns = sum->times.max_ns };
	struct span label = span_of("", 0);
	unsigned char address[16];
	unsigned port;

	if (peer_split(sum->peer, address, &port) &&
		peer_labels_find(&s->labels, address, port, &label))
		row.label_state = SOOTH_STATE_VALUE;
	struct record_tail tail[] = {
		tail_span(&row.process,
			emit_owner(s, &path->process, &row.record, &row.process_state)),
		tail_string(&row.connection, path->text),
		tail_span(&row.label, label),
	};
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_memory(
	struct operations_state *s, const struct sorted *one, struct sooth_error *err)
{
	const struct memory_key *key = one->key;
	const struct memory_sum *sum = one->value;
	struct memory_row row = { .calls = sum->calls,
		.errors = sum->errors,
		.bytes = sum->bytes,
		.bytes_state = sum->bytes_state,
		.total_ns = sum->times.total_ns,
		.times_state = times_state(s, &sum->times),
		.max_ns = sum->times.max_ns };
	struct record_tail tail[] = {
		tail_span(&row.process,
			emit_owner(s, &key->process, &row.record, &row.process_state)),
		tail_string(&row.operation, key->operation),
	};

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

typedef int (*teller)(
	struct operations_state *s, const struct sorted *one, struct sooth_error *err);

static int emit_sorted(struct operations_state *s, const struct section *like, const struct map *m,
	uint64_t (*weigh)(const void *value), teller tell, struct sooth_error *err)
{
	struct section section = *like;
	struct sorted *all = sort_by_weight(m, weigh);
	int status;

	/* io_uring requests may have done what no call did. */
	if (s->has_uring && section.if_empty)
		section.if_empty = "by system calls: nothing; by io_uring requests: not measured";
	/* Empty tables are printed only if some tables were selected. */
	if (wants_all_operations(&s->options))
		section.if_empty = NULL;
	status = all ? output_section(s->output, &section, err) : error_no_memory(err);

	for (size_t i = 0; i < m->count && !status; i++)
		status = tell(s, &all[i], err);
	free(all);
	/* The section is a local variable: close it before it goes out of scope. */
	return status ?: output_close_section(s->output, err);
}

static void exit_reason_text(const struct life *life, char *out, size_t size)
{
	char name[SIGNAL_NAME_SIZE];

	if (life->status_state)
		snprintf(out, size, "ended");
	else if (life->status & 0x7f)
		snprintf(out, size, "killed by %s%s", signal_name(name, life->status & 0x7f),
			life->status & 0x80 ? ", core dumped" : "");
	else
		snprintf(out, size, "exit %u", life->status >> 8 & 0xff);
}

static int emit_life(struct operations_state *s, const struct process_id *id,
	const struct life *life, struct sooth_error *err)
{
	char end[64];
	struct lineage_row row = { .record = row_head(id),
		.parent = life->parent,
		.parent_state = state_if(life->has_parent),
		.status = life->status,
		.lived_ns = life->to_ns - life->from_ns,
		.lived_state = state_if(life->has_ended),
		.end_state = state_if(life->has_ended),
		.command_state = life->command ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED) };

	exit_reason_text(life, end, sizeof(end));
	struct record_tail tail[] = {
		tail_span(&row.name, span_of(life->name, strnlen(life->name, sizeof(life->name)))),
		tail_span(&row.command,
			span_of(life->command ? life->command : "", life->command_size)),
		tail_string(&row.end, end),
	};
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

/* Returns whether to report a process: it started or ended meanwhile, or was selected. */
static bool operation_lives_emits(
	const struct operation_lives *s, const struct process_id *id, const struct life *life)
{
	if (life->has_come || life->has_ended)
		return true;
	for (size_t at = 0; at < s->asked.size; at += sizeof(uint32_t)) {
		uint32_t pid;

		memcpy(&pid, (const char *)s->asked.data + at, sizeof(pid));
		if (pid == id->pid)
			return true;
	}
	return false;
}

static int emit_lives(struct operations_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("processes", lineage_schema, TABLE,
		.title = "processes that started or ended", .rows_most = PEOPLE_ROWS);
	int status = output_section(s->output, &section, err);

	map_for_each (map_while(!status, &s->lives.all), const void *, id, void *, life) {
		if (operation_lives_emits(&s->lives, id, life))
			status = emit_life(s, id, life, err);
	}
	return status;
}

/* Sections for all processes together, and for each process by itself. */
#define SECTIONS(id, ...)                                                                          \
	static const struct section id##_sections[] = {                                            \
		{ .schema = &id##_schema, __VA_ARGS__ },                                           \
		{ .schema = &id##_process_schema, __VA_ARGS__ },                                   \
	}

SECTIONS(io, .name = "io", .title = "files", .shape = SECTION_TABLE,
	.spare = "kind,errors,opens,rewrites,mean_ns,total_ns", .rows_most = PEOPLE_ROWS,
	.if_empty = "no file was opened, read or written");
SECTIONS(network, .name = "network", .title = "connections", .shape = SECTION_TABLE,
	.spare = "connects,mean_ns,total_ns", .rows_most = PEOPLE_ROWS,
	.if_empty = "no call was made on a connection");
SECTIONS(memory, .name = "memory", .title = "memory", .shape = SECTION_TABLE,
	.rows_most = PEOPLE_ROWS, .if_empty = "no memory was requested or freed");

static int emit_sums(
	struct operations_state *s, const struct operation_sums *sums, struct sooth_error *err)
{
	const struct operations_options *o = &s->options;
	bool all = wants_all_operations(o);
	int status = 0;

	if (all || o->io)
		status = emit_sorted(
			s, &io_sections[o->by_process], &sums->files, weigh_io, emit_file, err);
	if (!status && (all || o->network))
		status = emit_sorted(s, &network_sections[o->by_process], &sums->connections,
			weigh_network, emit_connection, err);
	if (!status && (all || o->memory))
		status = emit_sorted(s, &memory_sections[o->by_process], &sums->memory,
			weigh_memory, emit_memory, err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct operations_state *s = state;
	int status = call_fold_end(&s->fold, err);
	bool emits_all = s->options.is_repeated && s->is_over;

	if (!status)
		status = emit_sums(s, emits_all ? &s->all : &s->interval, err);
	if (!status && (wants_all_operations(&s->options) || s->options.process))
		status = emit_lives(s, err);
	if (!status && (emits_all || !s->options.is_repeated))
		status = call_notes_emit(&s->notes, s->output, err);
	if (s->has_unseen && (emits_all || !s->options.is_repeated))
		call_note_some_unseen(s->output, "the duration of some calls");
	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "effects of calls",
			"the kernel only counted the calls: single calls were not recorded",
			"record each call: `sooth record --stream -o FILE.sooth PID`");
	if (s->interval.files.refused || s->interval.connections.refused)
		output_limit(s->output, "some files or connections",
			"a table in sooth is full: further entries are not recorded", "");
	operation_sums_reset(&s->interval);
	return status;
}

static void fini(void *state)
{
	struct operations_state *s = state;

	operation_lives_fini(&s->lives);
	operation_sums_fini(&s->interval);
	operation_sums_fini(&s->all);
	call_fold_fini(&s->fold);
	call_notes_fini(&s->notes);
	peer_labels_fini(&s->labels);
}

static const struct sooth_schema *const tables[] = { &io_schema, &network_schema, &lineage_schema,
	&memory_schema, &io_process_schema, &network_process_schema, &memory_process_schema, NULL };

const struct stage_type stage_operations = {
	.name = "operations",
	.help = "what system calls did to files, connections, processes and memory",
	.shows = "syscalls",
	.tables = tables,
	STAGE_FUNCTIONS(struct operations_state),
};
