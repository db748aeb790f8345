/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of each process, followed to its end: as a paragraph, and the chain as rows. */
#include "analyze/waits/waits.h"

#include <assert.h>
#include <stdlib.h>

#include "analyze/activity/activity_rows.h"
#include "analyze/activity/urgency.h"
#include "analyze/first_answers.h"
#include "analyze/snapshots.h"
#include "analyze/waits/wait_activity.h"
#include "analyze/waits/wait_beside.h"
#include "analyze/waits/wait_goroutines.h"
#include "analyze/waits/wait_rows.h"
#include "analyze/waits/wait_screen.h"
#include "analyze/waits/wait_tasks.h"
#include "analyze/waits/wait_text.h"
#include "analyze/waits/why_rows.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/map.h"
#include "explain/stage.h"

#define PROCESSES_MAX 65536
#define WATCHED_LEAST 10 /* percent of a CPU: a session that uses more may loop */
#define EACH_MOST     24 /* with more processes, text has only those whose wait matters */

struct waits_state {
	struct output *output;
	struct snapshots first;
	struct map has_first;	/* set of process_id: `first` is whole */
	struct host_state host; /* the last samples */
	bool with_threads;
	const char *if_empty;
	struct first_answers *answers; /* borrowed; NULL: none */
	struct section section;	       /* the open section, borrowed by the output */
	bool is_among_others;	       /* one of several views: another one has the process table */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct waits_state *s = state;
	const struct waits_options *o = options;

	(void)err;
	s->output = output;
	s->with_threads = o && o->with_threads;
	s->if_empty = o ? o->if_empty : NULL;
	s->answers = o ? o->answers : NULL;
	s->is_among_others = !o;
	host_state_init(&s->host);
	snapshots_init(&s->first, WAITS_SNAPSHOT);
	map_init(&s->has_first, sizeof(struct process_id), 0, PROCESSES_MAX);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct waits_state *s = state;

	(void)err;
	host_state_add_batch(&s->host, batch);
	if (s->answers)
		s->answers->add_batch(s->answers, batch);
	batch_for_each (r, batch) {
		struct process_id id = process_id_of(r);

		if (!snapshots_are_of(&s->first, r) || map_get(&s->has_first, &id))
			continue;
		snapshots_add_record(&s->first, r);
		if (r->kind == WAITS_SNAPSHOT)
			map_put(&s->has_first, &id, NULL);
	}
	return 0;
}

/* --- rows --- */

/* Returns whether the activity says as much as the event loop's call: in these states, or at a
 * terminal, where an agent always reads keys. */
static bool is_whole(const struct activity *a, const struct wait_chain *chain)
{
	bool reads_keys = chain->count == 1 && chain->links[0].what == WAIT_TERMINAL_READ;

	return (reads_keys && a->state != ACTIVITY_UNKNOWN) ||
	       a->state == ACTIVITY_WAITS_FOR_USER || a->state == ACTIVITY_WAITS_FOR_MODEL ||
	       a->state == ACTIVITY_ASKS_AGAIN || a->state == ACTIVITY_TALKS_TO_MCP ||
	       a->state == ACTIVITY_IDLE;
}

/* Adds the activity before the chain, and shortens the chain if it shows no more. */
static void add_activity(const struct waits_state *s, const struct process_entry *main,
	const struct wait_graph *g, const struct wait_chain *chain, struct activity *a,
	struct buffer *rows, struct buffer *text)
{
	struct wait_chain own = *chain;
	bool is_wait;

	/* A client and a server that read from each other usually rest. */
	if (own.is_deadlock && wait_chain_confidence(chain) == WAITS_LOW) {
		own.count = 1;
		own.links[0].repeats = false;
	}
	activity_find(a, &s->host, main);
	is_wait = wait_activity_add(a, g, &own);
	activity_append_row(rows, &main->id, a);
	buffer_format(text, "%s (%u): ", main->agent->title, main->id.pid);
	activity_write(text, a, ACTIVITY_TEXT_WHOLE);
	if (is_wait)
		wait_chain_rest(text, g, &own);
	if (is_wait || !chain->count || chain->links[0].is_idle || chain->links[0].is_active ||
		is_whole(a, chain))
		return;
	buffer_string(text, "; ");
	wait_chain_text(text, g, &own);
}

/* Returns whether the probe had no time left for this process. */
static bool is_left_out(const struct snapshot *snapshot)
{
	const struct waits_snapshot *end = snapshot_end(snapshot, sizeof(*end));

	return end && !snapshot->records.size && end->processes_state == SOOTH_STATE_TRUNCATED;
}

static bool has_snapshot_failed(const struct snapshot *snapshot)
{
	const struct waits_snapshot *end = snapshot_end(snapshot, sizeof(*end));

	return end && end->processes_state == SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

/* Returns whether the row passes the filter. */
static bool is_held(
	const struct waits_state *s, struct why_row *row, struct record_tail *tail, size_t count)
{
	struct buffer record = { 0 };
	bool result;

	RECORD_APPEND(&record, row, tail, count);
	result = !buffer_failed(&record) &&
		 output_holds(s->output, s->section.schema, (const void *)record.data);
	buffer_fini(&record);
	return result;
}

/* Puts the answer of an agent's session, which may be about a tool of it, as in `sooth ps`. */
static uint8_t put_finding(
	const struct waits_state *s, const struct process_id *id, bool is_main, struct buffer *out)
{
	const struct first_answers *a = s->answers;

	if (!a)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	return state_if(
		(is_main && a->put_of_session(a, id, out)) || a->put_of_process(a, id, out));
}

/* Appends the other threads and tasks. */
static void put_rest(const struct waits_state *s, const struct snapshot *snapshot,
	const struct wait_graph *g, const struct wait_chain *chain, struct buffer *text)
{
	uint32_t pid = snapshot->id.pid;

	if (!chain->count) {
		buffer_format(text, "process %u %s", pid,
			is_left_out(snapshot) ? "was not looked at"
			: has_snapshot_failed(snapshot)
				? "was not read: not enough memory or open files"
				: "has ended");
		return;
	}
	wait_put_beside(text, g, chain);
	wait_put_main_goroutine(text, g, pid);
	wait_put_tasks(text, g, pid);
	if (s->with_threads)
		wait_put_unread_tasks(text, g, pid);
}

static struct wait_graph graph_of(const struct waits_state *s, const struct snapshot *snapshot)
{
	return wait_graph_of(snapshot, snapshots_get(&s->first, &snapshot->id));
}

static int emit_waits(struct waits_state *s, const struct snapshot *snapshot,
	struct wait_screen *screen, struct sooth_error *err)
{
	struct wait_graph g = graph_of(s, snapshot);
	struct buffer text = { 0 }, waits = { 0 }, remedy = { 0 }, threads = { 0 }, finding = { 0 };
	const struct process_entry *main = activity_main(&s->host, &snapshot->id);
	const struct waits_process *p;
	struct buffer activity = { 0 };
	struct activity doing;
	struct wait_chain chain;
	uint8_t finding_state;
	const char *reason;
	int status;

	wait_chain_follow(&g, snapshot->id.pid, &chain);
	p = chain.count ? chain.links[0].process : NULL;
	if (main)
		add_activity(s, main, &g, &chain, &doing, &activity, &text);
	else
		wait_chain_text(&text, &g, &chain);
	put_rest(s, snapshot, &g, &chain, &text);
	wait_append_link_rows(&waits, &g, &chain);
	wait_append_thread_rows(&threads, &g, &chain);
	if (!main || !is_whole(&doing, &chain))
		wait_append_remedy_row(&remedy, &chain);
	reason = is_left_out(snapshot) ? "the time for so many processes was used up: give fewer"
				       : wait_chain_unknown(&chain);
	finding_state = put_finding(s, &snapshot->id, main != NULL, &finding);
	if (main && doing.has_cpu && doing.cpu_percent >= WATCHED_LEAST &&
		(!finding.size || doing.state == ACTIVITY_WAITS_FOR_MODEL))
		wait_append_watch_row(&remedy, main->id.pid);
	struct why_row row = { .record = row_head(&snapshot->id),
		.confidence = (uint8_t)wait_chain_confidence(&chain),
		.finding_state = finding_state,
		.reason_state = state_if(reason != NULL),
		.agent_state = state_if(main != NULL) };
	/* Nested rows come first, because they must be aligned. */
	struct record_tail tail[] = {
		tail_buffer(&row.activity, &activity),
		tail_buffer(&row.waits, &waits),
		tail_buffer(&row.remedies, &remedy),
		tail_buffer(&row.evidence, &threads),
		tail_span(&row.name, p ? record_text(&p->record, &p->name) : span_of("", 0)),
		tail_string(
			&row.state, is_left_out(snapshot) ? "unknown" : wait_chain_state(&chain)),
		tail_buffer(&row.finding, &finding),
		tail_buffer(&row.text, &text),
		tail_string(&row.reason, reason ? reason : ""),
		tail_string(&row.agent, main ? main->agent->name : ""),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	if (screen && is_held(s, &row, tail, ARRAY_SIZE(tail)))
		wait_screen_add(screen, snapshot->id.pid, &chain, main ? &doing : NULL,
			span_of(buffer_cstr(&text), text.size));
	buffer_fini(&activity);
	buffer_fini(&finding);
	buffer_fini(&text);
	buffer_fini(&waits);
	buffer_fini(&remedy);
	buffer_fini(&threads);
	return status;
}

/* --- many processes --- */

static int put_screen(struct waits_state *s, struct wait_screen *screen, struct sooth_error *err)
{
	static const struct section section = SECTION_OF(
		"screen", why_line_schema, TABLE, .audience = SECTION_BRIEF, .wraps = true);
	int status = output_section(s->output, &section, err);
	struct buffer text = { 0 };
	struct cursor lines;

	wait_screen_put(screen, &text);
	lines = cursor_over(buffer_cstr(&text), text.size);
	while (!status && !cursor_at_end(&lines)) {
		struct why_remedy_row row = { 0 };
		struct record_tail tail[] = { tail_span(&row.text, cursor_until(&lines, '\n')) };

		status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	}
	buffer_fini(&text);
	return status;
}

/* Emits many processes: all for programs and -v, else those whose wait matters. */
static int emit_many(struct waits_state *s, struct sooth_error *err)
{
	struct wait_screen screen = { 0 };
	int status = 0;

	snapshots_for_each (&s->host.waits, snapshot)
		status = status ? status : emit_waits(s, snapshot, &screen, err);
	if (!status)
		status = put_screen(s, &screen, err);
	wait_screen_fini(&screen);
	return status;
}

/* --- a few processes: the order of `sooth ps` --- */

struct ranked {
	const struct snapshot *snapshot;
	struct urgency_rank rank;
	size_t place;
};

static int compare_by_urgency(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order = urgency_compare(x->rank, y->rank);

	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static struct urgency_rank rank_of(const struct waits_state *s, const struct snapshot *snapshot)
{
	const struct process_entry *main = activity_main(&s->host, &snapshot->id);
	struct urgency_rank rank = { .urgency = URGENCY_OTHER, .since_s = -1, .cpu_percent = -1 };
	struct wait_graph g;
	struct wait_chain chain;
	struct activity a;
	const char *flag;

	if (!main)
		return rank;
	activity_find(&a, &s->host, main);
	g = graph_of(s, snapshot);
	wait_chain_follow(&g, main->id.pid, &chain);
	wait_activity_add(&a, &g, &chain);
	rank.urgency = urgency_of_activity(&a, &flag);
	rank.since_s = a.has_since ? (double)a.since_ns / (double)NS_PER_S : -1;
	return rank;
}

/* Returns whether the line of its session already has the activity. */
static bool has_line_of_session(const struct waits_state *s, const struct process_id *id)
{
	const struct process_entry *p = process_table_get(&s->host.process_table, id);

	return p && process_table_is_worker(p) && snapshots_get(&s->host.waits, &p->main->id);
}

static int emit_few(struct waits_state *s, struct sooth_error *err)
{
	struct ranked all[EACH_MOST];
	size_t placed = 0;
	int status = 0;

	snapshots_for_each (&s->host.waits, snapshot) {
		assert(placed < EACH_MOST);
		if (has_line_of_session(s, &snapshot->id))
			continue;
		all[placed] = (struct ranked){ snapshot, rank_of(s, snapshot), placed };
		placed++;
	}
	qsort(all, placed, sizeof(*all), compare_by_urgency);
	for (size_t i = 0; i < placed && !status; i++)
		status = emit_waits(s, all[i].snapshot, NULL, err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct waits_state *s = state;
	const struct snapshot *snapshot;
	size_t position = 0, count = 0;
	bool is_many;
	int status;

	while (snapshots_next(&s->host.waits, &position))
		count++;
	position = 0;
	is_many = !s->is_among_others && count > EACH_MOST;

	s->section = (struct section){
		.name = s->is_among_others ? "waits" : "processes",
		.schema = s->with_threads ? &why_evidence_schema : &why_schema,
		.shape = SECTION_TABLE,
		.audience = is_many ? SECTION_DETAIL : SECTION_FOR_ALL,
		.if_empty =
			s->if_empty
				? s->if_empty
				: "no process was read: it had ended, or the capture has no waits",
	};
	status = host_state_resolve(&s->host, err);
	if (!status && s->answers)
		status = s->answers->resolve(s->answers, err);
	if (!status)
		status = output_section(s->output, &s->section, err);
	if (!status && is_many)
		return emit_many(s, err);
	if (!status && count <= EACH_MOST)
		return emit_few(s, err);
	while (!status && (snapshot = snapshots_next(&s->host.waits, &position)))
		status = emit_waits(s, snapshot, NULL, err);
	return status;
}

static void fini(void *state)
{
	struct waits_state *s = state;

	host_state_fini(&s->host);
	snapshots_fini(&s->first);
	map_fini(&s->has_first);
}

static const struct sooth_schema *const tables[] = { &why_schema, NULL };

const struct stage_type stage_waits = {
	.name = "waits",
	.help = "what each process waits for, and which process could end that",
	.probe = "waits",
	.shows = "waits",
	.is_same_by_fallback = true,
	.tables = tables,
	STAGE_FUNCTIONS(struct waits_state),
};
