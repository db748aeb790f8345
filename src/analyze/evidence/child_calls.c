/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/child_calls.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/starts.h"
#include "base/cleanup.h"
#include "model/errno_names.h"

#define PEERS_MAX    256
#define FAILURES_MAX 1024
#define UP_MAX	     64

NUMBER(ENDS_NS, NS_PER_S / 2, NS, "from the failed call to the end of the process");

struct child {
	char name[SHORT_LIVED_NAME_SIZE];
	bool is_over;
	uint32_t status; /* exit status of an ended child; 0: no error */
	uint64_t end_ns; /* of an ended child */
};

/* --- which processes --- */

/* Returns the closest diagnosed ancestor, which reports the calls of the process. */
static const struct process_entry *reporter_of(
	const struct diagnosis_input *r, const struct process_entry *p)
{
	for (unsigned i = 0; p && i < UP_MAX; i++) {
		if (p->is_there && diagnosis_input_is_selected(r, p))
			return p;
		p = starts_parent(p);
	}
	return NULL;
}

/* Finds a child that started and ended between two samples, or was in at least one sample. */
static bool find_child(struct child *child, const struct check *e, const struct process_id *id)
{
	const struct diagnosis_input *r = e->input;
	const struct short_lived *s = &r->host.short_lived;
	const struct process_table *t = &r->host.process_table;
	const struct process_entry *p = process_table_get(t, id);
	const struct short_lived_process *end = map_get(&s->processes, id);
	const struct process_entry *starter = p ? starts_parent(p) : end ? end->starter : NULL;
	struct span name;

	if ((p && p->is_there && diagnosis_input_is_selected(r, p)) || !starter ||
		reporter_of(r, starter) != e->process)
		return false;
	name = p ? record_text(&p->process->record, &p->process->name)
		 : span_of(end->name, strnlen(end->name, sizeof(end->name)));
	snprintf(child->name, sizeof(child->name), "%.*s", SPAN_ARGS(name));
	child->is_over = end != NULL;
	child->status = end ? end->status : 0;
	child->end_ns = end ? end->end_ns : 0;
	return true;
}

/* --- adding up --- */

static void add_name(char names[CHILD_CALLS_NAMES], const char *name)
{
	size_t used = strlen(names);

	if (!strstr(names, name) && used + strlen(name) + 3 < CHILD_CALLS_NAMES)
		snprintf(names + used, CHILD_CALLS_NAMES - used, "%s%s", used ? ", " : "", name);
}

static void add_errors(struct call_peer *sum, const struct call_peer *p)
{
	for (size_t i = 0; i < CALL_PEER_ERRORS && p->errors[i].count; i++) {
		for (size_t k = 0; k < CALL_PEER_ERRORS; k++) {
			if (sum->errors[k].count && sum->errors[k].error != p->errors[i].error)
				continue;
			sum->errors[k].error = p->errors[i].error;
			sum->errors[k].count += p->errors[i].count;
			break;
		}
	}
}

static void add_peer(struct child_peer *to, const struct call_peer *p, const struct child *child)
{
	struct call_peer *sum = &to->sum;
	uint64_t excused = p->excused < p->failed ? p->excused : p->failed;
	/* A command that succeeded did not need that answer: it reached another address. */
	bool is_excused = child->is_over && !child->status;

	if (!sum->attempts || p->first_ns < sum->first_ns)
		sum->first_ns = p->first_ns;
	sum->attempts += p->attempts;
	sum->made += p->made;
	sum->under_way += p->under_way;
	sum->unknown += p->unknown;
	if (p->last_made_ns > sum->last_made_ns)
		sum->last_made_ns = p->last_made_ns;
	if (is_excused || p->failed == excused)
		return;
	sum->failed += p->failed - excused;
	if (p->last_failed_ns > sum->last_failed_ns)
		sum->last_failed_ns = p->last_failed_ns;
	add_errors(sum, p);
	add_name(to->names, child->name);
}

/* Returns whether a call that acts on a path (chdir, umount2, rename), and not only searches,
 * failed just before the command ended. */
static bool fails_to_act(
	const struct call_place *place, const struct call_failures *f, const struct child *child)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);
	bool is_missing = place->error == LINUX_ENOENT || place->error == LINUX_ENOTDIR;

	return row && row->category == SYSCALL_CATEGORY_FILE &&
	       !(row->traits & (SYSCALL_LOOKS | (is_missing ? SYSCALL_REMOVES : 0))) &&
	       (is_missing || place->error == LINUX_EBUSY) && f->last_ns + ENDS_NS >= child->end_ns;
}

/* Returns whether an error explains the end: most errors of a command are ordinary answers. */
static bool explains_end(
	const struct call_place *place, const struct call_failures *f, const struct child *child)
{
	static const uint16_t errors[] = { LINUX_EACCES, LINUX_EPERM, LINUX_EADDRINUSE,
		LINUX_EEXIST, LINUX_EAGAIN }; /* the last two mean a taken lock */

	for (size_t i = 0; *place->text && i < ARRAY_SIZE(errors); i++) {
		if (place->error == errors[i])
			return true;
	}
	return place->error == CALL_NO_DIRECTORY || call_error_is_grave(place->error) ||
	       (*place->text && fails_to_act(place, f, child));
}

static void add_failure(
	struct child_failures *to, const struct call_failures *f, const struct child *child)
{
	if (!to->children++ || f->first_ns < to->first_ns)
		to->first_ns = f->first_ns;
	if (f->last_ns > to->last_ns)
		to->last_ns = f->last_ns;
	add_name(to->names, child->name);
}

struct adding {
	struct child_calls *to;
	const struct check *e;
};

static void add_child(void *user, const struct call_history *history)
{
	const struct adding *a = user;
	struct child child = { .is_over = false };

	if (!find_child(&child, a->e, &history->id))
		return;
	map_for_each (&history->peers, const struct call_path *, address, void *, value) {
		struct child_peer *to = call_is_optional_peer(address->text)
						? NULL
						: map_put(&a->to->peers, address, NULL);

		if (to)
			add_peer(to, value, &child);
	}
	map_for_each (map_while(child.status, &history->failures), const struct call_place *, place,
		void *, value) {
		struct child_failures *to = explains_end(place, value, &child)
						    ? map_put(&a->to->failures, place, NULL)
						    : NULL;

		if (to)
			add_failure(to, value, &child);
	}
}

void child_calls_each(const struct check *e,
	void (*take)(void *user, const struct call_history *child), void *user)
{
	if (!e->process || !e->process->is_there || !e->input->host.short_lived.is_watched)
		return;
	map_for_each (&e->input->calls.processes, const struct process_id *, id,
		struct call_history *const *, history) {
		struct child child = { .is_over = false };

		if (*history && !process_id_equal(id, &e->id) && find_child(&child, e, id))
			take(user, *history);
	}
}

void child_calls_read(struct child_calls *c, const struct check *e)
{
	assert(c);
	map_init(&c->peers, sizeof(struct call_path), sizeof(struct child_peer), PEERS_MAX);
	map_init(&c->failures, sizeof(struct call_place), sizeof(struct child_failures),
		FAILURES_MAX);
	child_calls_each(e, add_child, &(struct adding){ c, e });
}

void child_calls_fini(struct child_calls *c)
{
	assert(c);
	map_fini(&c->peers);
	map_fini(&c->failures);
}
