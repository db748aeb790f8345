/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_notes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "model/probe.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/syscalls.h"
#include "probes/uring_opcodes.h"

#define OPCODES_MAX   4096 /* a damaged capture may have any number */
#define OPCODES_NAMED 8	   /* opcodes named in the text of a limit */

#define URING_ROW(F, S)                                                                            \
	F(S, ENUM32, opcode, ALWAYS, "io_uring operation", .names = &uring_opcode_names)           \
	F(S, U64, count, ALWAYS, "io_uring requests that the kernel accepted",                     \
		.label = "REQUESTS", .merge = SOOTH_MERGE_SUM)

ROW_STRUCT(uring_row, URING_ROW);
ROW_SCHEMA(call_notes_uring, URING_ROW, "io_uring", uring_row);

static const struct section uring_section = SECTION_OF("io_uring", call_notes_uring_schema, TABLE,
	.title = "io_uring requests: their effects are not system calls and are not in the tables "
		 "above");

int call_notes_init(struct call_notes *n, struct sooth_error *err)
{
	pauses_init(&n->holds);
	if (reducer_init(&n->urings, registry_schema(SYSCALLS_URING), "opcode", OPCODES_MAX))
		return 0;
	return error_set(err, -EINVAL, SOOTH_FAULT_INTERNAL, "make the table of io_uring");
}

void call_notes_add_record(struct call_notes *n, const struct sooth_record *r)
{
	pauses_add_record(&n->holds, r, SYSCALLS_PAUSE);
	if (record_as(r, SYSCALLS_URING, sizeof(struct syscalls_uring)))
		reducer_push(&n->urings, r);
}

void call_notes_followed(struct call_notes *n, uint32_t opcode)
{
	if (opcode < ARRAY_SIZE(n->followed))
		n->followed[opcode]++;
}

void call_notes_fini(struct call_notes *n)
{
	reducer_fini(&n->urings);
}

static int compare_by_count(const void *a, const void *b)
{
	const struct syscalls_uring *x = *(const struct syscalls_uring *const *)a;
	const struct syscalls_uring *y = *(const struct syscalls_uring *const *)b;

	return larger_first(x->count, y->count) ?: smaller_first(x->opcode, y->opcode);
}

/* Returns the records, most frequent first; the caller frees the array. */
static const struct sooth_record **sort_by_count(const struct call_notes *n, size_t *count)
{
	const struct sooth_record **rows = reducer_rows(&n->urings, count);

	if (rows)
		qsort(rows, *count, sizeof(*rows), compare_by_count);
	return rows;
}

static void name_opcode(char *to, size_t size, uint32_t opcode)
{
	if (opcode < uring_opcode_names.count)
		snprintf(to, size, "%s", uring_opcode_names.names[opcode]);
	else
		snprintf(to, size, "%u", (unsigned)opcode);
}

static uint64_t unfollowed_requests(const struct call_notes *n, const struct syscalls_uring *u)
{
	uint64_t followed = u->opcode < ARRAY_SIZE(n->followed) ? n->followed[u->opcode] : 0;

	return u->count > followed ? u->count - followed : 0;
}

static int note_urings(const struct call_notes *n, struct output *output, struct sooth_error *err)
{
	size_t count;
	_cleanup_free_ const struct sooth_record **rows = sort_by_count(n, &count);
	char what[96], reason[512] = "", name[32];
	uint64_t all = 0;

	if (!rows)
		return error_no_memory(err);
	for (size_t i = 0, at = 0, named = 0; i < count; i++) {
		const struct syscalls_uring *u = (const void *)rows[i];
		uint64_t left = unfollowed_requests(n, u);

		if (!left)
			continue;
		all += left;
		name_opcode(name, sizeof(name), u->opcode);
		if (named++ < OPCODES_NAMED)
			at += (size_t)snprintf(reason + at, sizeof(reason) - at, "%s%s %llu",
				named > 1 ? ", " : "", name, (unsigned long long)left);
		else if (named == OPCODES_NAMED + 1)
			at += (size_t)snprintf(reason + at, sizeof(reason) - at, " and others");
	}
	if (!all)
		return 0;
	snprintf(reason + strlen(reason), sizeof(reason) - strlen(reason),
		": io_uring requests are not system calls");
	snprintf(what, sizeof(what), "effects of %llu io_uring requests", (unsigned long long)all);
	output_limit(
		output, what, reason, "`sooth trace -c PID` counts io_uring requests by operation");
	return 0;
}

static int emit_urings(const struct call_notes *n, struct output *output, struct sooth_error *err)
{
	size_t count;
	_cleanup_free_ const struct sooth_record **rows = sort_by_count(n, &count);
	int status = rows ? output_section(output, &uring_section, err) : error_no_memory(err);

	for (size_t i = 0; i < count && !status; i++) {
		const struct syscalls_uring *u = (const void *)rows[i];
		struct uring_row row = { .count = u->count, .opcode = u->opcode };

		status = OUTPUT_ROW(output, &row, NULL, 0, err);
	}
	return status;
}

static int emit_holds(struct call_notes *n, struct output *output, struct sooth_error *err)
{
	return pauses_emit(&n->holds, output, "every call of a target that sooth may pause", err);
}

int call_notes_emit(struct call_notes *n, struct output *output, struct sooth_error *err)
{
	int status = note_urings(n, output, err);

	return status ?: emit_holds(n, output, err);
}

void call_note_some_unseen(struct output *output, const char *what)
{
	output_limit(output, what, "running at attach, or answered by seccomp", "");
}

void call_note_unseen(struct output *output, uint64_t calls)
{
	char what[64];

	snprintf(what, sizeof(what), "time of %llu call%s", (unsigned long long)calls,
		calls > 1 ? "s" : "");
	if (calls)
		call_note_some_unseen(output, what);
}

int call_notes_emit_table(struct call_notes *n, struct output *output, struct sooth_error *err)
{
	int status = emit_urings(n, output, err);

	return status ?: emit_holds(n, output, err);
}
