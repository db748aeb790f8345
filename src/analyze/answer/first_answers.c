/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/first_answers.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/answer/causes.h"
#include "analyze/first_answers.h"

/* Flags, columns and the chain of waits show less severe findings. */
#define SHOWN_FROM FINDING_MEDIUM

struct answers {
	struct first_answers head;
	struct diagnosis diagnosis;
	struct causes causes;
};

static void add_batch(struct first_answers *head, const struct batch *batch)
{
	diagnosis_input_add_batch(&((struct answers *)head)->diagnosis.input, batch);
}

static int resolve(struct first_answers *head, struct sooth_error *err)
{
	struct answers *a = (struct answers *)head;
	int status = diagnosis_run(&a->diagnosis, err);

	if (!status && causes_find(&a->causes, &a->diagnosis, NULL))
		status = error_no_memory(err);
	return status;
}

/* Returns whether it is the process, or belongs to the session with this main process. */
static bool is_process_or_session(
	const struct diagnosed *j, const struct process_id *id, bool is_session)
{
	if (j->is_host)
		return false;
	if (!is_session)
		return process_id_equal(&j->id, id);
	return j->process && j->process->main && process_id_equal(&j->process->main->id, id);
}

/* Returns whether the process or session is a cause, or one of the victims of a cause. */
static bool concerns_process(const struct cause *c, const struct process_id *id, bool is_session)
{
	bool result = is_process_or_session(c->of, id, is_session);

	for (size_t i = 0; i < c->victim_count && !result; i++)
		result = is_process_or_session(c->victims[i], id, is_session);
	return result;
}

/* Returns whether a finding is grave enough. Findings about waits are: neither a chain of waits nor
 * the activity of a session says that a wait never ends. So are those of use: no column says that a
 * command loops or leaks. */
static bool is_grave(const struct finding_row *finding, bool is_session)
{
	const struct finding_type *type = diagnosis_type_of(finding);

	return finding->severity >= SHOWN_FROM || (type && type->detector->diagnose_once) ||
	       (type && (!is_session || type->is_of_holder) && strstr(type->probes, "waits"));
}

static bool put_first(
	const struct answers *a, const struct process_id *id, bool is_session, struct buffer *out)
{
	for (size_t i = 0; i < a->causes.count; i++) {
		const struct cause *c = &a->causes.all[i];

		if (!c->finding || !is_grave(c->finding, is_session) ||
			!concerns_process(c, id, is_session))
			continue;
		cause_put(c, &a->diagnosis, out);
		return true;
	}
	return false;
}

static bool put_of_session(
	const struct first_answers *head, const struct process_id *main, struct buffer *out)
{
	return put_first((const struct answers *)head, main, true, out);
}

static bool put_of_process(
	const struct first_answers *head, const struct process_id *id, struct buffer *out)
{
	return put_first((const struct answers *)head, id, false, out);
}

struct first_answers *first_answers_new(const struct check_settings *settings)
{
	struct findings_options options = { .settings = settings, .is_one_look = true };
	struct answers *a = calloc(1, sizeof(*a));
	struct sooth_error ignored;

	if (!a)
		return NULL;
	a->head = (struct first_answers){ add_batch, resolve, put_of_session, put_of_process };
	if (diagnosis_init(&a->diagnosis, &options, &ignored)) {
		first_answers_free(&a->head);
		return NULL;
	}
	a->diagnosis.input.has_sessions = true;
	return &a->head;
}

void first_answers_free(struct first_answers *head)
{
	struct answers *a = (struct answers *)head;

	if (!a)
		return;
	causes_fini(&a->causes);
	diagnosis_fini(&a->diagnosis);
	free(a);
}
