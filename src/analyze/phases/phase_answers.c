/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_answers.h"

#include <assert.h>

#include "analyze/phases/phase_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/units.h"
#include "model/schema.h"

#define RECORDS_BYTES (16u << 20)
#define ANSWERS_MAX   65536
#define JOINED_NS     (60 * NS_PER_S) /* a restarted monitor has to diagnose first */

void phase_answers_init(struct phase_answers *a)
{
	*a = (struct phase_answers){ .records = { .limit = RECORDS_BYTES } };
	map_init(&a->begun, sizeof(uint64_t), sizeof(size_t), ANSWERS_MAX);
}

void phase_answers_fini(struct phase_answers *a)
{
	map_fini(&a->begun);
	buffer_fini(&a->all);
	buffer_fini(&a->records);
}

/* Returns whether the times can be: it is about one boot, whose clock the record has. */
static bool has_time(const struct answer_span *span)
{
	return span->end_utc_ns >= span->begin_utc_ns &&
	       span->end_utc_ns - span->begin_utc_ns <= span->record.time_ns;
}

void phase_answers_add(struct phase_answers *a, const struct answer_span *span, uint64_t boot)
{
	struct span text = record_text(&span->record, &span->key);
	uint64_t key =
		hash_bytes(hash_bytes(HASH_BEGIN, text.data, text.size), &boot, sizeof(boot));
	size_t count = a->all.size / sizeof(struct phase_found), *index;
	struct phase_found *known = NULL;
	struct phase_found one = { .begin_utc_ns = span->begin_utc_ns,
		.end_utc_ns = span->end_utc_ns,
		.at = a->records.size,
		.is_cleared = span->is_cleared };
	bool is_new;

	if (!has_time(span))
		return;
	/* Without room for one span, later ones are not kept either. */
	index = a->refused ? NULL : map_put(&a->begun, &key, &is_new);
	if (index && !is_new)
		known = (struct phase_found *)a->all.data + *index;
	if (known && span->begin_utc_ns > known->end_utc_ns + JOINED_NS)
		known = NULL;
	if (known)
		one.begin_utc_ns = known->begin_utc_ns;
	if (index)
		buffer_append(&a->records, span, record_bytes(&span->record));
	if (index && !known && !buffer_failed(&a->records))
		buffer_append(&a->all, &one, sizeof(one));
	if (!index || buffer_failed(&a->records) || buffer_failed(&a->all)) {
		a->refused++;
		return;
	}
	if (known)
		*known = one;
	else
		*index = count;
}

ROW_SCHEMA(phase_found, PHASE_FOUND_ROW, "phase_answers", phase_found_row);

static int emit_found(const struct phase_answers *a, const struct phase_found *f,
	struct output *output, struct sooth_error *err)
{
	const struct answer_span *span = (const void *)(a->records.data + f->at);
	const struct sooth_record *r = &span->record;
	struct phase_found_row row = { .record = { .start_ticks = span->subject_start_ticks,
					       .pid = span->subject_pid },
		.pid_state = state_if(span->subject_pid),
		.session_pid = r->pid,
		.session_pid_state = state_if(r->pid),
		.start_utc_ns = f->begin_utc_ns,
		.end_utc_ns = f->end_utc_ns,
		.total_ns = f->end_utc_ns - f->begin_utc_ns,
		.is_cleared = f->is_cleared,
		.agent_state = state_if(span->agent.size),
		.project_state = state_if(span->project.size),
		.session_state = state_if(span->session.size),
		.remedy_state = state_if(span->remedy.size) };
	struct record_tail tail[] = {
		tail_text(&row.severity, r, &span->severity),
		tail_text(&row.confidence, r, &span->confidence),
		tail_text(&row.id, r, &span->id),
		tail_text(&row.agent, r, &span->agent),
		tail_text(&row.project, r, &span->project),
		tail_text(&row.session_id, r, &span->session),
		tail_text(&row.words, r, &span->words),
		tail_text(&row.remedy, r, &span->remedy),
	};

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

int phase_answers_emit(
	const struct phase_answers *a, struct output *output, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("phase_answers", phase_found_schema, TABLE, .title = "what was wrong");
	assert(a);

	const struct phase_found *all = (const void *)a->all.data;
	int status = output_section(output, &section, err);

	for (size_t i = 0; i < a->all.size / sizeof(*all) && !status; i++)
		status = emit_found(a, &all[i], output, err);
	if (a->refused)
		output_limit(output, "some answers of earlier diagnoses",
			"there are more than sooth can keep", "choose a shorter time: --last TIME");
	return status;
}
