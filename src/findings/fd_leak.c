/* SPDX-License-Identifier: BSD-2-Clause */
/* fd-leak: the number of descriptors grows steadily. Comparing the first with the last sample shows
 * what grows, by kind and by path (for files: the directory). Slow growth counts if it lasts long,
 * or if all new descriptors are of one kind that no peer causes. A thousand descriptors of one kind
 * are reported as well, whether or not they grow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "analyze/evidence/peer_process.h"
#include "base/units.h"
#include "explain/finding.h"
#include "probes/fd_names.h"
#include "probes/fds.h"

#define GROUPS_MAX   4096
#define GROUP_TEXT   120
#define KINDS_MAX    3
#define GROUPS_SHOWN 3

NUMBER(ALONGSIDE, 0.3, NONE, "groups with this share of the largest growth are named with it");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 0.5, 0.0001, 1e9,
		"minimum number of descriptors opened and not closed per second"),
	THRESHOLD("min-gain", 10, 1, 1e9,
		"minimum number of descriptors opened and not closed during the observation"),
	THRESHOLD("min-gain-slow", 4, 1, 1e9,
		"minimum number of descriptors of one kind that a slow leak keeps"),
	THRESHOLD("min-rate-slow", 0.05, 0.0001, 1e9,
		"minimum number of descriptors per second of a slow leak, in an observation of "
		"min-interval-slow"),
	TIME_THRESHOLD("min-interval-slow", 20e9, 0, 86400e9,
		"minimum observation time to report a leak slower than min-rate"),
	THRESHOLD("min-same", 1000, 1, 1e9,
		"minimum number of descriptors of one kind that are open at once"),
	THRESHOLD("min-windows", 4, 2, 500, "minimum number of time slices to judge growth by"),
	TIME_THRESHOLD("min-age", 10e9, 0, 86400e9,
		"process age from which on growth is not that of a start"),
	THRESHOLD("min-gain-young", 40, 1, 1e9,
		"minimum number of descriptors that a younger process opens and does not close"),
};

struct group_key {
	char text[GROUP_TEXT]; /* kind and path, "file /home/me/project"; cut, not escaped */
};

struct group_sum {
	struct group_key key;
	int64_t first, last;
	bool is_connection; /* a connection, which a peer may have opened */
};

/* --- what grew --- */

static void make_key(struct group_key *key, const struct fds_descriptor *d)
{
	const char *type = d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?";
	struct span path = record_text(&d->record, &d->path);
	bool is_file = d->type == FDS_FILE || d->type == FDS_DELETED;
	bool has_path = (is_file || d->type == FDS_DIRECTORY || d->type == FDS_DEVICE) &&
			d->path_state <= SOOTH_STATE_TRUNCATED;
	const char *slash = has_path ? span_last(path, '/') : NULL;
	size_t size = strlen(type);

	memset(key, 0, sizeof(*key));
	memcpy(key->text, type, size);
	if (!has_path)
		return;
	if (is_file && slash && slash != path.data)
		path.size = (size_t)(slash - path.data);
	key->text[size++] = ' ';
	memcpy(key->text + size, path.data,
		path.size < GROUP_TEXT - size - 1 ? path.size : GROUP_TEXT - size - 1);
}

static void add_snapshot(struct map *groups, const struct snapshot *snapshot, bool is_last)
{
	snapshot_for_each (snapshot, struct fds_descriptor, d, FDS_DESCRIPTOR, sizeof(*d)) {
		struct group_key key;
		struct group_sum *sum;

		make_key(&key, d);
		sum = map_put(groups, &key, NULL);
		if (!sum)
			continue;
		sum->key = key;
		sum->is_connection =
			d->type == FDS_TCP || d->type == FDS_UDP || d->type == FDS_UNIX;
		sum->first += !is_last;
		sum->last += is_last;
	}
}

static int by_gain(const void *a, const void *b)
{
	const struct group_sum *x = a, *y = b;
	int64_t p = x->last - x->first, q = y->last - y->first;

	return (q > p) - (q < p);
}

static void find_largest(struct group_sum *largest, const struct group_sum *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].last > largest->last)
			*largest = all[i];
	}
}

/* Finds the groups that gained most, and the largest group; returns how many are in `top`. */
static size_t find_groups(
	const struct check *e, struct group_sum top[GROUPS_SHOWN], struct group_sum *largest)
{
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct snapshot *last = check_last(e, &e->input->fds);
	size_t count = 0, shown = 0;
	struct group_sum *all;
	struct map groups;

	*largest = (struct group_sum){ 0 };
	if (!first || !last || first == last)
		return 0;
	map_init(&groups, sizeof(struct group_key), sizeof(struct group_sum), GROUPS_MAX);
	add_snapshot(&groups, first, false);
	add_snapshot(&groups, last, true);
	all = calloc(groups.count + 1, sizeof(*all));
	map_for_each_value (map_while(all, &groups), struct group_sum *, value)
		all[count++] = *value;
	if (all)
		find_largest(largest, all, count);
	if (count)
		qsort(all, count, sizeof(*all), by_gain);
	while (shown < GROUPS_SHOWN && shown < count && all[shown].last > all[shown].first) {
		top[shown] = all[shown];
		shown++;
	}
	free(all);
	map_fini(&groups);
	return shown;
}

/* --- the finding --- */

/* "files below /home/me/project" for the key "file /home/me/project". */
static void put_kind(char *out, size_t size, const struct group_key *key)
{
	const char *place = strchr(key->text, '/');
	bool is_file = !strncmp(key->text, "file ", strlen("file ")) && place;

	snprintf(out, size, "%s%s", is_file ? "files below " : "", is_file ? place : key->text);
}

/* Writes the kind that grew most, "most of them tcp", or several kinds that grow together, "48 unix
 * and 24 eventpoll". */
static void put_kinds(char *out, size_t size, const struct group_sum *top, size_t count)
{
	int64_t most = top[0].last - top[0].first;
	char kind[GROUP_TEXT + 16];
	size_t used = 0, shown = 1;

	while (shown < count && shown < KINDS_MAX &&
		(double)(top[shown].last - top[shown].first) >= ALONGSIDE * (double)most)
		shown++;
	put_kind(kind, sizeof(kind), &top[0].key);
	if (shown == 1) {
		snprintf(out, size, "most of them %s", kind);
		return;
	}
	for (size_t i = 0; i < shown && used < size; i++) {
		put_kind(kind, sizeof(kind), &top[i].key);
		used += (size_t)snprintf(out + used, size - used, "%s%lld %s",
			!i		 ? ""
			: i + 1 == shown ? " and "
					 : ", ",
			(long long)(top[i].last - top[i].first), kind);
	}
}

static void emit_groups(struct check_result *out, const struct group_sum *top, size_t count)
{
	if (!count)
		finding_unseen(out,
			"which kind of descriptor grows: the descriptors were listed only once");
	for (size_t i = 0; i < count; i++)
		finding_text(out, "what grew", "%s: %lld, then %lld", top[i].key.text,
			(long long)top[i].first, (long long)top[i].last);
}

static void emit_limit(const struct check *e, struct check_result *out, const struct growth *g)
{
	const struct fds_process *end = snapshot_end(check_last(e, &e->input->fds), sizeof(*end));
	uint64_t left_ns;

	if (!end || end->limit_state || end->soft_limit == UINT64_MAX) {
		finding_unseen(out, "how many descriptors the process may open");
		return;
	}
	finding_count(out, "soft limit", (double)end->soft_limit, 0);
	if (growth_reaches(g, (double)end->soft_limit, &left_ns))
		finding_number(out, "time until the process reaches its descriptor limit",
			(double)left_ns, SOOTH_UNIT_NS, 0);
}

static void put_remedy(const struct check *e, struct check_result *out)
{
	finding_remedy(out,
		"sooth inspect --fds %u lists the descriptors; restarting the process closes them",
		e->id.pid);
}

/* Returns the other process whose connections explain the growth; NULL: none. */
static const struct waits_peer *find_peer(const struct check *e, const struct growth *g,
	const struct group_sum *top, size_t count, unsigned *all)
{
	const struct waits_peer *peer = peer_process_most(e->input, &e->id, all);

	return count && top->is_connection && peer && peer->connections * 2 > *all &&
			       peer->connections >= g->last - g->first
		       ? peer
		       : NULL;
}

/* Adds the other process to the claim: "; 55 of its 56 connections are from node (4711)". */
static void claim_peer(struct check_result *out, const struct waits_peer *peer, unsigned all)
{
	struct buffer name = { 0 };

	peer_process_put(&name, peer);
	finding_claim(out, "; %u of its %u connections are %s %s", peer->connections, all,
		peer->is_accepted ? "from" : "with", buffer_cstr(&name));
	buffer_fini(&name);
}

enum pace { PACE_FAST, PACE_SLOW, PACE_YOUNG };

static void report(const struct check *e, struct check_result *out, const struct growth *g,
	const struct group_sum *top, size_t count, enum pace pace)
{
	char kind[3 * (GROUP_TEXT + 32)] = "";
	unsigned all;
	const struct waits_peer *peer = find_peer(e, g, top, count, &all);

	if (count)
		put_kinds(kind, sizeof(kind), top, count);
	finding_begin(out,
		pace == PACE_YOUNG ? FINDING_CONFIDENCE_LOW
		: g->is_steady	   ? FINDING_CONFIDENCE_HIGH
				   : FINDING_CONFIDENCE_MEDIUM,
		"");
	if (pace != PACE_FAST)
		finding_severity(out, pace == PACE_SLOW ? FINDING_MEDIUM : FINDING_LOW);
	finding_claim(out, "leaks descriptors%s: %.0f more%s%s", pace == PACE_SLOW ? " slowly" : "",
		g->last - g->first, count ? ", " : "", kind);
	if (peer)
		claim_peer(out, peer, all);
	finding_count(out, "open descriptors when the observation started", g->first, 0);
	finding_count(out, "open descriptors when the observation ended", g->last, 0);
	finding_rate(out, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_text(out, "steadiness", "grew in %u of %u equal time slices of the observation",
		g->grown, g->windows);
	emit_groups(out, top, count);
	emit_limit(e, out, g);
	if (pace == PACE_YOUNG)
		check_may_be_start(out);
	if (peer && peer->is_accepted)
		finding_remedy(out,
			"sooth diagnose %u shows the process that opens the connections; "
			"restarting it closes them",
			peer->peer_pid);
	else
		put_remedy(e, out);
	finding_end(out);
}

/* Reports many descriptors of one kind. They are not wrong by themselves: a server may have as many
 * clients. */
static void report_same(
	const struct check *e, struct check_result *out, const struct group_sum *largest)
{
	char kind[GROUP_TEXT + 16];

	put_kind(kind, sizeof(kind), &largest->key);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "same");
	finding_severity(out, FINDING_INFO);
	finding_claim(
		out, "has %lld descriptors of one kind open: %s", (long long)largest->last, kind);
	finding_count(out, "descriptors of that kind", (double)largest->last, 0);
	finding_count(out, "descriptors of that kind when the observation started",
		(double)largest->first, 0);
	put_remedy(e, out);
	finding_end(out);
}

static double descriptors_at(const struct sample_point *p)
{
	return p->descriptors_state == SOOTH_STATE_VALUE ? (double)p->descriptors : -1;
}

/* Reports that descriptors could not be counted. If the last sample has a count, there was only one
 * sample. */
static void emit_blind(const struct check *e, struct check_result *out)
{
	const struct sample_point *last = &e->series.points[e->series.count - 1];

	if (last->descriptors_state == SOOTH_STATE_VALUE)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else
		check_blind(out, last->descriptors_state);
}

static bool is_fast(const struct check *e, const struct growth *g)
{
	return g->grows && g->last - g->first >= check_option(e, "min-gain") &&
	       check_is_over(e, "min-rate", g->per_s, "");
}

/* Returns whether slow growth is a leak. Connections come and go as peers like: only a long
 * observation shows that they stay. */
static bool is_slow(
	const struct check *e, const struct growth *g, const struct group_sum *top, size_t shown)
{
	double gain = g->last - g->first;
	bool is_long = (double)g->interval_ns >= check_option(e, "min-interval-slow");
	bool is_one_kind = shown && !top[0].is_connection &&
			   (double)(top[0].last - top[0].first) >= check_option(e, "min-gain-slow");

	if (!g->grows || gain < check_option(e, "min-gain-slow"))
		return false;
	return is_long	     ? check_is_over(e, "min-rate-slow", g->per_s, "")
	       : is_one_kind ? check_is_over(e, "min-rate", g->per_s, "")
			     : false;
}

/* Reports a young process: a program opens many files as it starts and then stops, so without
 * growth now there is no leak. */
static void diagnose_young(const struct check *e, struct check_result *out, const struct growth *g,
	const struct group_sum *top, size_t shown)
{
	double gain = g->last - g->first;

	if (is_fast(e, g) && g->is_steady && gain >= check_option(e, "min-gain-young"))
		report(e, out, g, top, shown, PACE_YOUNG);
	else if (gain < check_option(e, "min-gain-slow"))
		check_fine(out, "%.0f descriptors, then %.0f", g->first, g->last);
	else
		check_too_young(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct group_sum top[GROUPS_SHOWN], largest;
	struct growth g;
	size_t shown;

	check_growth(&g, e, descriptors_at);
	if (!g.is_measured) {
		if (g.windows)
			check_blind_because(
				out, "the observation has too few samples", CHECK_LONGER);
		else
			emit_blind(e, out);
		return;
	}
	shown = find_groups(e, top, &largest);
	if (check_is_young(e))
		diagnose_young(e, out, &g, top, shown);
	else if (is_fast(e, &g))
		report(e, out, &g, top, shown, PACE_FAST);
	else if (is_slow(e, &g, top, shown))
		report(e, out, &g, top, shown, PACE_SLOW);
	else if (check_is_over(e, "min-same", (double)largest.last, "same"))
		report_same(e, out, &largest);
	else if (g.may_grow && g.last - g.first >= check_option(e, "min-gain"))
		check_blind_because(out,
			"the process opened more descriptors, but in too few steps to call that a "
			"leak",
			CHECK_LONGER);
	else
		check_fine(out, "%.0f descriptors, then %.0f", g.first, g.last);
}

const struct finding_type finding_fd_leak = {
	.id = "fd-leak",
	.claim = "the number of open descriptors grows steadily",
	.probes = "proc",
	.follows = "close-wait-leak,database-errors,held-up,all-threads-waiting,deadlock",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
