/* SPDX-License-Identifier: BSD-2-Clause */
/* One row per process from the records of the context probe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/map.h"
#include "model/probe.h"
#include "explain/stage.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "probes/context.h"

#define PROCESSES_MAX 65536
#define THREADS_MAX   65536
#define MAPPINGS_MAX  1000000

#define CONTEXT_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, U32, threads, ALWAYS, "number of threads with a known name")                          \
	F(S, U32, mapped_files, MAYBE(mappings_state),                                             \
		"number of memory mappings of files and code", .label = "MAPPINGS")                \
	F(S, U32, build_ids, WITH(mappings_state),                                                 \
		"number of memory mappings with a known build id")                                 \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")

ROW_TABLE(context, CONTEXT_ROW, "context", context_row);

struct known_process {
	struct process_id id;
	uint32_t mapped_files, build_ids;
	bool has_command;
	uint8_t command_state;
	uint8_t mappings_state;
	struct buffer command;
};

/* Definitions are repeated in each segment, so objects are counted by identity. */
struct thread_key {
	struct process_id process;
	uint64_t tid;
};

struct mapping_key {
	struct process_id process;
	uint64_t from;
};

struct context_state {
	struct output *output;
	struct map processes; /* process_id -> known_process */
	struct map threads;   /* thread_key */
	struct map mappings;  /* mapping_key */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct context_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	map_init(&s->processes, sizeof(struct process_id), sizeof(struct known_process),
		PROCESSES_MAX);
	map_init(&s->threads, sizeof(struct thread_key), 0, THREADS_MAX);
	map_init(&s->mappings, sizeof(struct mapping_key), 0, MAPPINGS_MAX);
	return 0;
}

/* Keeps the longest command: at exit less may be readable than earlier. */
static void store_longest_command(struct known_process *p, const struct sooth_record *r)
{
	const struct sooth_field *f = sooth_schema_field(registry_schema(r->kind), "command");
	struct sooth_value v = sooth_field_get(f, r);
	bool is_reported = value_is_there(&v);
	const struct context_command *c = (const void *)r;

	if (is_reported || !p->command.size) {
		p->has_command = true;
		p->command_state = SOOTH_STATE(v.state, v.reason);
		buffer_reset(&p->command);
		if (is_reported)
			buffer_append(&p->command, v.text.data, v.text.size);
	}
	if (record_holds(r, sizeof(*c)) &&
		(c->mappings_state == SOOTH_STATE_VALUE || !p->mapped_files))
		p->mappings_state = c->mappings_state;
}

static void add_mapping(
	struct context_state *s, struct known_process *p, const struct context_mapping *m)
{
	struct mapping_key key = { p->id, m->from };
	bool is_new;

	if (!record_holds(&m->record, sizeof(*m)) || !map_put(&s->mappings, &key, &is_new) ||
		!is_new)
		return;
	p->mapped_files++;
	p->build_ids += m->build_id.size != 0;
}

static void add_record(struct context_state *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct thread_key thread = { id, r->tid };
	struct known_process *p = map_put(&s->processes, &id, NULL);

	if (!p)
		return;
	p->id = id;
	if (r->kind == CONTEXT_COMMAND)
		store_longest_command(p, r);
	else if (r->kind == CONTEXT_THREAD)
		map_put(&s->threads, &thread, NULL);
	else
		add_mapping(s, p, (const void *)r);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	(void)err;
	batch_for_each (r, batch) {
		if (r->kind >= CONTEXT_COMMAND && r->kind <= CONTEXT_MAPPING)
			add_record(state, r);
	}
	return 0;
}

static uint32_t count_threads(const struct context_state *s, const struct process_id *id)
{
	uint32_t count = 0;

	map_for_each_key (&s->threads, const struct thread_key *, key)
		count += !memcmp(&key->process, id, sizeof(*id));
	return count;
}

static const struct section context_section = SECTION_OF("context", context_schema, TABLE,
	.title = "context", .if_empty = "no process lived long enough to be read");

static int finish(void *state, struct sooth_error *err)
{
	struct context_state *s = state;
	int status = output_section(s->output, &context_section, err);

	if (s->processes.refused || s->threads.refused || s->mappings.refused)
		output_limit(s->output, "some processes, threads or mappings",
			"sooth's tables are full: the rest is left out", "");

	map_for_each_value (map_while(!status, &s->processes), struct known_process *, p) {
		struct context_row row = { .mapped_files = p->mapped_files,
			.build_ids = p->build_ids,
			.threads = count_threads(s, &p->id) };
		struct record_tail tail[] = { { &row.command, p->command.data, p->command.size } };

		row.record.pid = p->id.pid;
		row.record.start_ticks = p->id.start_ticks;
		row.mappings_state = p->mappings_state;
		row.command_state = p->has_command ? p->command_state : SOOTH_STATE_ABSENT;
		status = OUTPUT_ROW(s->output, &row, tail, 1, err);
	}
	return status;
}

static void fini(void *state)
{
	struct context_state *s = state;

	map_for_each_value (&s->processes, struct known_process *, value)
		buffer_fini(&value->command);
	map_fini(&s->processes);
	map_fini(&s->threads);
	map_fini(&s->mappings);
}

const struct stage_type stage_context = {
	.name = "context",
	.help = "command lines, threads and mapped files, by process",
	.probe = "context",
	.shows = "context",
	STAGE_FUNCTIONS(struct context_state),
};
