/* SPDX-License-Identifier: BSD-2-Clause */
/* The first answer of each session, for the list of processes. */
#include <stdlib.h>

#include "analyze/diagnosis/causes.h"
#include "analyze/diagnosis/findings.h"

#define LEAST FINDING_MEDIUM /* flags and columns of the list say what is less severe */

struct answers {
	struct session_answers head;
	struct diagnosis diagnosis;
	struct causes causes;
};

static void add_batch(struct session_answers *head, const struct batch *batch)
{
	diagnosis_input_add_batch(&((struct answers *)head)->diagnosis.input, batch);
}

static int resolve(struct session_answers *head, struct sooth_error *err)
{
	struct answers *a = (struct answers *)head;
	int status = diagnosis_run(&a->diagnosis, err);

	if (!status && causes_find(&a->causes, &a->diagnosis, NULL))
		status = error_no_memory(err);
	return status;
}

static bool is_of(const struct diagnosed *j, const struct process_id *main)
{
	return j->process && j->process->main && process_id_equal(&j->process->main->id, main);
}

/* It is a cause of the session, or what holds one of its processes up. */
static bool concerns(const struct cause *c, const struct process_id *main)
{
	bool result = is_of(c->of, main);

	for (size_t i = 0; i < c->victim_count && !result; i++)
		result = is_of(c->victims[i], main);
	return result;
}

static bool put(
	const struct session_answers *head, const struct process_id *main, struct buffer *out)
{
	const struct answers *a = (const struct answers *)head;

	for (size_t i = 0; i < a->causes.count; i++) {
		const struct cause *c = &a->causes.all[i];

		if (!c->finding || c->finding->severity < LEAST || !concerns(c, main))
			continue;
		cause_put(c, &a->diagnosis, out);
		return true;
	}
	return false;
}

struct session_answers *session_answers_new(const struct check_settings *settings)
{
	struct findings_options options = { .settings = settings, .is_one_look = true };
	struct answers *a = calloc(1, sizeof(*a));
	struct sooth_error ignored;

	if (!a)
		return NULL;
	a->head = (struct session_answers){ add_batch, resolve, put };
	if (diagnosis_init(&a->diagnosis, &options, &ignored)) {
		session_answers_free(&a->head);
		return NULL;
	}
	return &a->head;
}

void session_answers_free(struct session_answers *head)
{
	struct answers *a = (struct answers *)head;

	if (!a)
		return;
	causes_fini(&a->causes);
	diagnosis_fini(&a->diagnosis);
	free(a);
}
