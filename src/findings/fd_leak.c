/* SPDX-License-Identifier: BSD-2-Clause */
/* fd-leak: the number of descriptors grows steadily. Comparing the first with the last sample shows
 * what grows, by kind and by path (for files: the directory). Slow growth counts if it lasts long,
 * or if all new descriptors are of one kind that no peer causes. A thousand descriptors of one kind
 * are reported as well, whether or not they grow. */
#include <string.h>

#include "analyze/evidence/peer_process.h"
#include "analyze/evidence/tally.h"
#include "base/cleanup.h"
#include "probes/fd_names.h"

#define KINDS_MAX    3
#define GROUPS_SHOWN 3

NUMBER(ALONGSIDE, 0.3, NONE, "groups with this share of the largest growth are named with it");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 0.5, 0.0001, 1e9,
		"minimum number of descriptors opened and not closed per second"),
	UNLISTED("min-gain", 10, 1, 1e9,
		"minimum number of descriptors opened and not closed during the observation"),
	UNLISTED("min-gain-slow", 4, 1, 1e9,
		"minimum number of descriptors of one kind that a slow leak keeps"),
	UNLISTED("min-rate-slow", 0.05, 0.0001, 1e9,
		"minimum number of descriptors per second of a slow leak, in an observation of "
		"min-interval-slow"),
	UNLISTED_TIME("min-interval-slow", 20e9, 0, 86400e9,
		"minimum observation time to report a leak slower than min-rate"),
	THRESHOLD("min-same", 1000, 1, 1e9,
		"minimum number of descriptors of one kind that are open at once"),
	THRESHOLD("min-windows", 4, 2, 500, "minimum number of time slices to judge growth by"),
	UNLISTED_TIME("min-age", 10e9, 0, 86400e9,
		"process age from which on growth is not that of a start"),
	UNLISTED("min-gain-young", 40, 1, 1e9,
		"minimum number of descriptors that a younger process opens and does not close"),
};

/* --- what grew --- */

/* Writes kind and path: "file /home/me/project". */
static void write_group(struct buffer *out, const struct fds_descriptor *d)
{
	struct span path = record_text(&d->record, &d->path);
	bool is_file = d->type == FDS_FILE || d->type == FDS_DELETED;
	bool has_path = (is_file || d->type == FDS_DIRECTORY || d->type == FDS_DEVICE) &&
			d->path_state <= SOOTH_STATE_TRUNCATED;
	const char *slash = has_path ? span_last(path, '/') : NULL;

	buffer_reset(out);
	buffer_string(out, d->type < FDS_TYPES ? fd_type_names.names[d->type] : "?");
	if (is_file && slash && slash != path.data)
		path.size = (size_t)(slash - path.data);
	if (has_path)
		buffer_format(out, " %.*s", SPAN_ARGS(path));
}

static void add_snapshot(struct tally *groups, const struct snapshot *snapshot, bool is_last)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	snapshot_each (struct fds_descriptor, d, snapshot, FDS_DESCRIPTOR) {
		struct tally_row *row;

		write_group(&text, d);
		row = tally_add(groups, span_of_string(buffer_cstr(&text)), is_last);
		if (row) /* a connection, which a peer may have opened */
			row->is_marked =
				d->type == FDS_TCP || d->type == FDS_UDP || d->type == FDS_UNIX;
	}
}

/* Finds the groups that gained most, and the largest group; returns how many are in `top`. */
static size_t find_groups(
	const struct check *e, struct tally_row top[GROUPS_SHOWN], struct tally_row *largest)
{
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct snapshot *last = check_last(e, &e->input->fds);
	_cleanup_(tally_fini) struct tally groups = { 0 };

	*largest = (struct tally_row){ 0 };
	if (!first || !last || first == last)
		return 0;
	tally_init(&groups);
	add_snapshot(&groups, first, false);
	add_snapshot(&groups, last, true);
	tally_top(&groups, tally_last, largest, 1);
	return tally_top(&groups, tally_gain, top, GROUPS_SHOWN);
}

static void add_paths(struct tally *paths, const struct snapshot *snapshot, bool is_last)
{
	snapshot_each (struct fds_descriptor, d, snapshot, FDS_DESCRIPTOR) {
		if (d->type == FDS_FILE && d->path_state <= SOOTH_STATE_TRUNCATED)
			tally_add(paths, record_text(&d->record, &d->path), is_last);
	}
}

/* Finds a single file that most of the gained descriptors of the group are of. */
static bool find_file(const struct check *e, const struct tally_row *group, struct tally_row *file)
{
	_cleanup_(tally_fini) struct tally paths = { 0 };

	tally_init(&paths);
	add_paths(&paths, check_first(e, &e->input->fds), false);
	add_paths(&paths, check_last(e, &e->input->fds), true);
	return tally_top(&paths, tally_gain, file, 1) && tally_gain(file) * 2 > tally_gain(group);
}

/* Appends "files below /home/me/project" for "file /home/me/project". */
static void put_kind(struct buffer *out, const struct tally_row *row)
{
	const char *place = strchr(row->text, '/');
	bool is_file = !strncmp(row->text, "file ", strlen("file ")) && place;

	buffer_format(out, "%s%s", is_file ? "files below " : "", is_file ? place : row->text);
}

/* Appends the kind that grew most, "most of them tcp", or several kinds that grow together, "48
 * unix and 24 eventpoll". */
static void put_kinds(
	struct buffer *out, const struct check *e, const struct tally_row *top, size_t count)
{
	struct tally_row file;
	double least = ALONGSIDE * tally_gain(&top[0]);
	size_t shown = 1;

	while (shown < count && shown < KINDS_MAX && (double)tally_gain(&top[shown]) >= least)
		shown++;
	if (shown == 1 && find_file(e, top, &file)) {
		buffer_format(out, "most of them one file, %s", file.text);
		return;
	}
	for (size_t i = 0; i < shown; i++) {
		if (shown == 1)
			buffer_string(out, "most of them ");
		else
			buffer_format(out, "%s%lld ",
				!i		 ? ""
				: i + 1 == shown ? " and "
						 : ", ",
				(long long)tally_gain(&top[i]));
		put_kind(out, &top[i]);
	}
}

static void emit_limit(const struct check *e, struct check_result *out, const struct growth *g)
{
	const struct fds_process *end = snapshot_end(check_last(e, &e->input->fds), sizeof(*end));
	uint64_t left_ns;

	if (!end || end->limit_state || end->soft_limit == UINT64_MAX) {
		finding_unseen(out, "how many descriptors the process may open");
		return;
	}
	finding_count(out, "soft limit", end->soft_limit, 0);
	if (growth_reaches(g, (double)end->soft_limit, &left_ns))
		finding_time(out, "time until the process reaches its descriptor limit", left_ns);
}

static void put_remedy(const struct check *e, struct check_result *out)
{
	finding_remedy(out,
		"sooth inspect --fds %u lists the descriptors; restarting the process closes them",
		e->id.pid);
}

static const struct waits_peer *find_peer(const struct check *e, const struct growth *g,
	const struct tally_row *top, size_t count, unsigned *all)
{
	const struct waits_peer *peer = peer_process_most(e->input, &e->id, all);

	return count && top->is_marked && peer && peer->connections * 2 > *all &&
			       peer->connections >= g->last - g->first
		       ? peer
		       : NULL;
}

/* Adds the other process to the claim: "; 55 of its 56 connections are from node (4711)". */
static void claim_peer(struct check_result *out, const struct waits_peer *peer, unsigned all)
{
	_cleanup_(buffer_fini) struct buffer name = { 0 };

	peer_process_put(&name, peer);
	finding_claim(out, "; %u of its %u connections are %s %s", peer->connections, all,
		peer->is_accepted ? "from" : "with", buffer_cstr(&name));
}

enum pace { PACE_FAST, PACE_SLOW, PACE_YOUNG };

static void report_leak(const struct check *e, struct check_result *out, const struct growth *g,
	const struct tally_row *top, size_t count, enum pace pace)
{
	_cleanup_(buffer_fini) struct buffer kinds = { 0 };
	unsigned all;
	const struct waits_peer *peer = find_peer(e, g, top, count, &all);

	if (count)
		put_kinds(&kinds, e, top, count);
	finding_begin(out,
		pace == PACE_YOUNG ? FINDING_CONFIDENCE_LOW
		: g->is_steady	   ? FINDING_CONFIDENCE_HIGH
				   : FINDING_CONFIDENCE_MEDIUM,
		"");
	if (pace != PACE_FAST)
		finding_severity(out, pace == PACE_SLOW ? FINDING_MEDIUM : FINDING_LOW);
	finding_claim(out, "leaks descriptors%s: %.0f more%s%s", pace == PACE_SLOW ? " slowly" : "",
		g->last - g->first, count ? ", " : "", buffer_cstr(&kinds));
	if (peer)
		claim_peer(out, peer, all);
	finding_count(out, "open descriptors when the observation started", g->first, 0);
	finding_count(out, "open descriptors when the observation ended", g->last, 0);
	finding_rate(out, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_text(out, "steadiness", "grew in %u of %u equal time slices of the observation",
		g->grown, g->windows);
	if (!count)
		finding_unseen(out,
			"which kind of descriptor grows: the descriptors were listed only once");
	for (size_t i = 0; i < count; i++)
		finding_text(out, "what grew", "%s: %lld, then %lld", top[i].text,
			(long long)top[i].first, (long long)top[i].last);
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
}

/* Reports many descriptors of one kind. They are not wrong by themselves: a server may have as many
 * clients. */
static void report_same(
	const struct check *e, struct check_result *out, const struct tally_row *largest)
{
	struct buffer kind = { 0 };

	put_kind(&kind, largest);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "same");
	finding_severity(out, FINDING_INFO);
	finding_claim(out, "has %lld descriptors of one kind open: %s", (long long)largest->last,
		buffer_cstr(&kind));
	buffer_fini(&kind);
	finding_count(out, "descriptors of that kind", largest->last, 0);
	finding_count(
		out, "descriptors of that kind when the observation started", largest->first, 0);
	put_remedy(e, out);
}

static double descriptors_at(const struct sample_point *p)
{
	return p->descriptors_state == SOOTH_STATE_VALUE ? (double)p->descriptors : -1;
}

/* Returns whether slow growth is a leak. Connections come and go as peers like: only a long
 * observation shows that they stay. */
static bool is_slow(
	const struct check *e, const struct growth *g, const struct tally_row *top, size_t shown)
{
	double gain = g->last - g->first;
	bool is_long = g->interval_ns >= check_option(e, "min-interval-slow");
	bool is_one_kind = shown && !top[0].is_marked &&
			   (double)tally_gain(&top[0]) >= check_option(e, "min-gain-slow");

	if (!g->grows || gain < check_option(e, "min-gain-slow"))
		return false;
	return is_long	     ? check_is_over(e, "min-rate-slow", g->per_s, "")
	       : is_one_kind ? check_is_over(e, "min-rate", g->per_s, "")
			     : false;
}

/* Reports a young process: a program opens many files as it starts and then stops, so without
 * growth now there is no leak. */
static void diagnose_young(const struct check *e, struct check_result *out, const struct growth *g,
	const struct tally_row *top, size_t shown)
{
	double gain = g->last - g->first;

	if (check_grows_fast(e, g) && g->is_steady && gain >= check_option(e, "min-gain-young"))
		report_leak(e, out, g, top, shown, PACE_YOUNG);
	else if (gain < check_option(e, "min-gain-slow"))
		check_fine(out, "%.0f descriptors, then %.0f", g->first, g->last);
	else
		check_too_young(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct tally_row top[GROUPS_SHOWN], largest;
	struct growth g;
	size_t shown;

	check_growth(&g, e, descriptors_at);
	if (!g.is_measured) {
		if (g.windows)
			check_blind_because(
				out, "the observation has too few samples", CHECK_LONGER);
		else /* there was only one sample, or descriptors could not be counted */
			check_blind(out, e->series.points[e->series.count - 1].descriptors_state
						 ?: SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
		return;
	}
	shown = find_groups(e, top, &largest);
	if (check_is_young(e))
		diagnose_young(e, out, &g, top, shown);
	else if (check_grows_fast(e, &g))
		report_leak(e, out, &g, top, shown, PACE_FAST);
	else if (is_slow(e, &g, top, shown))
		report_leak(e, out, &g, top, shown, PACE_SLOW);
	else if (check_is_over(e, "min-same", largest.last, "same"))
		report_same(e, out, &largest);
	else if (g.may_grow && g.last - g.first >= check_option(e, "min-gain"))
		check_blind_because(out,
			"the process opened more descriptors, but in too few steps to call that a "
			"leak",
			CHECK_LONGER);
	else
		check_fine(out, "%.0f descriptors, then %.0f", g.first, g.last);
}

const struct finding_detector finding_fd_leak = { diagnose, FINDING_OPTIONS(options) };
