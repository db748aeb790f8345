/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is records of the probe proc, with anything between them; they are taken in two
 * halves with a settlement after each. Whatever processes they tell of, judging them ends, and
 * what is found fits together.
 */
#include <string.h>

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/verdicts.h"
#include "fuzz.h"
#include "model/batch.h"
#include "probes/proc.h"

static void check_text(const struct process_table *c, const struct sooth_text *text)
{
	struct span s = process_table_text(c, text);

	CHECK(!s.size || (s.data >= (const char *)c->texts.data &&
				 s.data + s.size <= (const char *)c->texts.data + c->texts.size));
}

static void check_process(const struct process_table *c, const struct process_entry *p)
{
	struct verdict verdict;
	size_t steps = 0;

	CHECK(p->process && record_holds(&p->process->record, sizeof(*p->process)));
	CHECK(!p->links || record_holds(&p->links->record, sizeof(*p->links)));
	CHECK(!p->session || record_holds(&p->session->record, sizeof(*p->session)));
	for (const struct process_entry *at = p->parent; at; at = at->parent)
		CHECK(++steps <= c->processes.count);
	CHECK(!p->main || p->main->is_there);
	CHECK(!p->owner_agent || p->main || p->is_main_gone || p->doubt.size);
	CHECK(!p->has_role || p->player);
	CHECK(p->number < p->number_end);
	check_text(c, &p->gone);
	check_text(c, &p->doubt);
	check_text(c, &p->role_name);
	check_text(c, &p->session_id);
	check_text(c, &p->project);
	for (unsigned kind = 0; kind < VERDICTS; kind++) {
		verdict_decide(c, p, kind, &verdict);
		CHECK(memchr(verdict.why, '\0', sizeof(verdict.why)));
		CHECK(!verdict.holds || (verdict.state == 0 && verdict.why[0]));
	}
	process_table_cpu_percent(p);
}

static void check_all(struct process_table *c)
{
	size_t position = 0;
	const struct process_entry *p;

	CHECK(process_table_resolve(c) == 0);
	while ((p = process_table_next(c, &position)))
		check_process(c, p);
}

/* The next record of the probe in the input, on words and as long as it is to the byte. */
static struct sooth_record *next_record(const uint8_t *data, size_t size, size_t *at)
{
	for (; size - *at >= sizeof(struct sooth_record); ++*at) {
		struct sooth_record head, *copy;

		memcpy(&head, data + *at, sizeof(head));
		if (head.kind < PROC_PROCESS || head.kind > PROC_INSTALLED ||
			!sooth_record_check(&head, size - *at))
			continue;
		copy = malloc(record_bytes(&head));
		CHECK(copy);
		memcpy(copy, data + *at, record_bytes(&head));
		*at += record_bytes(&head);
		return copy;
	}
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sooth_record *r;
	struct process_table process_table;
	size_t at = 0;
	bool is_half_reported = false;

	process_table_init(&process_table);
	while (size >= sizeof(*r) && (r = next_record(data, size, &at))) {
		process_table_add_record(&process_table, r);
		free(r);
		if (!is_half_reported && at > size / 2) {
			is_half_reported = true;
			check_all(&process_table);
		}
	}
	check_all(&process_table);
	process_table_fini(&process_table);
	return 0;
}
