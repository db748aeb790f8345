/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/limit_users.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/tally.h"
#include "analyze/fds/fd_sums.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cursor.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "probes/fd_names.h"
#include "probes/fds.h"
#include "probes/sockets.h"

NUMBER(SHARE_LEAST, 10, PERCENT, "of the sum from which a user is named");

static bool is_cpu(enum limits_shared resource)
{
	return resource == LIMITS_SHARED_CPU || resource == LIMITS_SHARED_CPUS;
}

static void add_user(struct limit_users *out, struct limit_user u)
{
	size_t at = out->count < LIMIT_USERS_MAX ? out->count++ : LIMIT_USERS_MAX;

	out->sum += u.amount;
	while (at && out->top[at - 1].amount < u.amount) {
		if (at < LIMIT_USERS_MAX)
			out->top[at] = out->top[at - 1];
		at--;
	}
	if (at < LIMIT_USERS_MAX)
		out->top[at] = u;
}

void limit_users_find(struct limit_users *out, const struct check *e, enum limits_shared resource,
	struct span place)
{
	assert(e);

	assert(out);
	*out = (struct limit_users){ 0 };
	snapshot_each (struct limits_holder, h, check_last(e, &e->input->limits), LIMITS_HOLDER) {
		struct limit_user u = { .holder = h };

		if (h->resource != resource ||
			(place.size && span_compare(place, record_text(&h->record, &h->place))))
			continue;
		u.process = check_process(e, h->holder_pid, h->holder_start_ticks);
		u.amount = is_cpu(resource) ? u.process ? process_table_cpu_percent(u.process) : -1
					    : (double)h->amount;
		out->unread = h->unread;
		if (u.amount >= 0)
			add_user(out, u);
	}
}

void limit_users_of_host(struct limit_users *out, const struct check *e)
{
	assert(out);
	*out = (struct limit_users){ 0 };
	process_table_for_each (&e->input->host.process_table, p) {
		double percent = process_table_cpu_percent(p);

		if (percent > 0)
			add_user(out, (struct limit_user){ NULL, p, percent });
	}
}

void limit_users_of_user(struct limit_users *out, const struct check *e)
{
	assert(out);
	*out = (struct limit_users){ 0 };
	process_table_for_each (&e->input->host.process_table, p) {
		if (p->is_there && p->process->uid == e->process->process->uid)
			add_user(out, (struct limit_user){ NULL, p, p->process->threads });
	}
}

bool limit_user_is_self(const struct check *e, const struct limit_user *u)
{
	return u->process ? u->process == e->process
			  : u->holder && u->holder->holder_pid == e->id.pid;
}

/* Appends "node (4711)" or "this process". */
static void put_user(struct buffer *out, const struct check *e, const struct limit_user *u)
{
	const struct limits_holder *h = u->holder;

	if (limit_user_is_self(e, u))
		buffer_string(out, "this process");
	else if (u->process)
		check_put_name(out, u->process);
	else
		buffer_format(out, "%.*s (%u)",
			(int)strnlen(h->holder_name, sizeof(h->holder_name)), h->holder_name,
			h->holder_pid);
}

static void put_amount(struct buffer *out, enum limits_shared resource, double amount)
{
	if (is_cpu(resource))
		buffer_format(out, amount < 10 ? "%.1f %%" : "%.0f %%", amount);
	else if (resource == LIMITS_SHARED_MEMORY)
		buffer_string(out, SENTENCE_SIZE((uint64_t)amount));
	else
		buffer_format(out, "%.0f", amount);
}

void limit_users_put(struct buffer *out, const struct check *e, const struct limit_users *users,
	enum limits_shared resource)
{
	for (size_t i = 0; i < users->count; i++) {
		const struct limit_user *u = &users->top[i];

		if (!u->amount || u->amount * SHARE_LEAST < users->sum)
			return;
		buffer_string(out, i ? ", " : "; ");
		put_user(out, e, u);
		buffer_string(out, i ? " " : is_cpu(resource) ? " uses " : " has ");
		put_amount(out, resource, u->amount);
		if (i)
			continue;
		if (is_cpu(resource))
			buffer_string(out, " of a CPU");
		else if (resource == LIMITS_SHARED_PORTS)
			buffer_format(out, " of the %.0f connections to it", users->sum);
	}
}

/* --- space --- */

/* Appends the whole path, because reports for sharing replace whole paths. */
static void put_file(struct buffer *out, const struct check *e, const struct limit_user *u)
{
	const struct limits_holder *h = u->holder;
	struct span path = record_text(&h->record, &h->path);
	struct span point = h->holder_pid ? span_of("", 0) : record_text(&h->record, &h->place);
	/* In quotes, redaction finds the end of a path with blanks. */
	const char *quote = memchr(path.data, ' ', path.size) ? "\"" : "";

	buffer_format(out, ", %s of it %s%.*s%s%.*s%s", SENTENCE_SIZE(h->amount), quote,
		SPAN_ARGS(point), point.size && !span_ends(point, "/") ? "/" : "", SPAN_ARGS(path),
		quote);
	if (!h->holder_pid) {
		buffer_format(out, " (%u file%s, which no process has open)", h->count,
			h->count == 1 ? "" : "s");
		return;
	}
	buffer_string(out, h->is_deleted ? " (deleted), which " : ", which ");
	put_user(out, e, u);
	buffer_string(out, " has open");
}

uint32_t limit_users_put_space(struct buffer *out, const struct check *e, struct span point)
{
	struct limit_users files, others;

	limit_users_find(&files, e, LIMITS_SHARED_SPACE, point);
	if (!files.count)
		return 0;
	put_file(out, e, &files.top[0]);
	if (files.top[0].holder->holder_pid)
		return files.top[0].holder->holder_pid;
	limit_users_find(&others, e, LIMITS_SHARED_MOUNT, point);
	for (size_t i = 0; i < others.count; i++) {
		buffer_string(out, i ? ", " : "; also in this mount namespace: ");
		put_user(out, e, &others.top[i]);
	}
	return 0;
}

void limit_users_put_full(struct buffer *out, const struct check *e, struct span folder)
{
	struct span point = span_of("", 0);

	assert(out);
	snapshot_each (struct limits_holder, h, check_last(e, &e->input->limits), LIMITS_HOLDER) {
		struct span place = record_text(&h->record, &h->place);

		if (h->resource == LIMITS_SHARED_SPACE && place.size > point.size &&
			(!folder.size || path_is_within(folder, place)))
			point = place;
	}
	if (!point.size)
		return;
	buffer_format(
		out, "; %s%.*s is full", folder.size ? "" : "perhaps because ", SPAN_ARGS(point));
	limit_users_put_space(out, e, point);
}

void limit_users_unseen(struct check_result *out, const struct limit_users *users)
{
	if (users->unread)
		finding_unseen(out,
			"the descriptors of %u process%s, which could not be read: one of them may "
			"use more",
			users->unread, users->unread == 1 ? "" : "es");
}

/* --- watches --- */

/* Returns the last record of the descriptors; NULL: they are unknown, also without a snapshot. */
static const struct fds_process *counts_of(
	const struct snapshot *snapshot, uint64_t counts[WATCH_KINDS])
{
	struct fd_sums sums;

	fd_sums_of(&sums, snapshot);
	if (!sums.process || sums.process->descriptors_state > SOOTH_STATE_TRUNCATED)
		return NULL;
	counts[WATCH_WATCHES] = sums.process->watches;
	counts[WATCH_INSTANCES] = sums.instances;
	return sums.process;
}

static void add_watches(
	struct watch_use *u, const struct process_id *id, const uint64_t counts[WATCH_KINDS])
{
	for (int k = 0; k < WATCH_KINDS; k++) {
		u->sum[k] += counts[k];
		if (counts[k] < u->most_count[k] ||
			(counts[k] == u->most_count[k] && id->pid > u->most[k].pid))
			continue;
		u->most[k] = *id;
		u->most_count[k] = counts[k];
	}
}

bool watch_use_of(struct watch_use *u, const struct check *e)
{
	assert(u);
	assert(e);
	*u = (struct watch_use){ 0 };

	const struct fds_process *end = counts_of(check_last(e, &e->input->fds), u->own);

	if (!end || end->inotify_state != SOOTH_STATE_VALUE)
		return false;
	u->limit[WATCH_WATCHES] = end->watches_max;
	u->limit[WATCH_INSTANCES] = end->instances_max;
	add_watches(u, &e->id, u->own);
	process_table_for_each (&e->input->host.process_table, p) {
		uint64_t counts[WATCH_KINDS];

		if (!e->process || p->process->uid != e->process->process->uid)
			continue;
		u->there++;
		u->read += p == e->process;
		if (p == e->process)
			continue;
		end = counts_of(snapshots_get(&e->input->fds.last, &p->id), counts);
		if (!end || end->inotify_state != SOOTH_STATE_VALUE)
			continue;
		u->read++;
		add_watches(u, &p->id, counts);
	}
	return true;
}

/* --- descriptors --- */

static void put_socket(struct buffer *out, const struct sockets_socket *s)
{
	if (s->side == SOCKETS_SIDE_ACCEPTED) {
		buffer_string(out, "connections that it accepted on ");
		socket_put_local(out, s);
	} else {
		buffer_string(out, "connections to ");
		socket_put_peer(out, s);
	}
}

static void put_descriptor(
	struct buffer *out, const struct socket_index *sockets, const struct fds_descriptor *d)
{
	bool has_path = d->type == FDS_FILE || d->type == FDS_DELETED || d->type == FDS_DIRECTORY ||
			d->type == FDS_DEVICE || d->type == FDS_FIFO;
	const struct sockets_socket *s =
		d->type == FDS_TCP && !d->inode_state ? socket_index_get(sockets, d->inode) : NULL;

	if (s && socket_is_inet(s) && !s->state_state && s->peer_port)
		put_socket(out, s);
	else if (has_path && d->path_state <= SOOTH_STATE_TRUNCATED)
		buffer_append(out, record_text(&d->record, &d->path).data, d->path.size);
	else
		buffer_string(out, d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?");
}

bool fd_most_put(struct buffer *out, const struct check *e)
{
	struct tally_row most = { 0 };
	struct buffer text = { 0 };
	_cleanup_(tally_fini) struct tally groups = { 0 };
	_cleanup_(socket_index_fini) struct socket_index sockets = { 0 };
	int64_t sum = 0;

	assert(e);
	socket_index_init(&sockets, check_last(e, &e->input->sockets));
	tally_init(&groups);
	check_fds_for_each (e, d) {
		buffer_reset(&text);
		put_descriptor(&text, &sockets, d);
		tally_add(&groups, span_of_string(buffer_cstr(&text)), true);
		sum++;
	}
	tally_top(&groups, tally_last, &most, 1);
	buffer_fini(&text);
	if (most.last < 2 || most.last * 2 < sum)
		return false;
	buffer_format(out, "%lld of them %s", (long long)most.last, most.text);
	return true;
}
