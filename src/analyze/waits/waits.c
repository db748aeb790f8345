/* SPDX-License-Identifier: BSD-2-Clause */
/* What each process waits for, followed to the end: a paragraph, and the chain as rows. */
#include "analyze/waits/waits.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/snapshots.h"
#include "analyze/waits/wait_text.h"
#include "analyze/waits/why_rows.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "core/stage.h"
#include "probes/syscall_names.h"

#define PROCESSES_MAX 65536
#define THREADS_SHOWN 64

struct waits_state {
	struct output *output;
	struct snapshots last, first;
	struct map has_first;	/* process_id -> nothing: `first` is whole */
	struct host_state host; /* of agents, where processes were sampled too */
	bool with_threads;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct waits_state *s = state;
	const struct waits_options *o = options;

	(void)err;
	s->output = output;
	s->with_threads = o && o->with_threads;
	host_state_init(&s->host);
	snapshots_init(&s->last, WAITS_SNAPSHOT);
	snapshots_init(&s->first, WAITS_SNAPSHOT);
	map_init(&s->has_first, sizeof(struct process_id), 0, PROCESSES_MAX);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct waits_state *s = state;

	(void)err;
	host_state_take(&s->host, batch);
	batch_for_each (r, batch) {
		struct process_id id = process_id_of(r);

		if (r->kind < WAITS_PROCESS || r->kind > WAITS_SNAPSHOT)
			continue;
		snapshots_take(&s->last, r);
		if (map_get(&s->has_first, &id))
			continue;
		snapshots_take(&s->first, r);
		if (r->kind == WAITS_SNAPSHOT)
			map_put(&s->has_first, &id, NULL);
	}
	return 0;
}

/* --- rows --- */

static struct sooth_record head_of(const struct waits_process *p, const struct waits_thread *t)
{
	return (struct sooth_record){
		.start_ticks = p->node_start_ticks, .pid = p->node_pid, .tid = t ? t->record.tid : 0
	};
}

static void call_of(struct buffer *out, const struct waits_thread *t)
{
	char call[SYSCALL_NAME_SIZE];

	if (!t || t->call_state)
		return;
	syscall_name(t->abi, t->syscall, call);
	buffer_string(out, call);
}

static void add_link(struct buffer *rows, const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_process *p = link->process;
	const struct waits_thread *t = link->thread;
	const struct waits_party *party = link->party;
	struct buffer call = { 0 }, object = { 0 }, text = { 0 };
	double cpu = wait_graph_cpu(g, p->node_pid);

	call_of(&call, t);
	wait_object_text(&object, link);
	wait_link_text(&text, g, link);
	struct why_link_row row = { .record = head_of(p, t),
		.cpu_percent = cpu,
		.since_s = t ? (double)t->since_ns / (double)NS_PER_S : 0,
		.what = link->what,
		.party_pid = party ? party->party_pid : 0,
		.state = t ? t->state : p->state,
		.tid_state = state_if(t != NULL),
		.call_state = t ? t->call_state : SOOTH_STATE_ABSENT,
		.object_state = state_if(object.size > 0),
		.since_state = t && !link->is_polling ? t->since_state : SOOTH_STATE_ABSENT,
		.party_state = state_if(party != NULL),
		.party_name_state = state_if(party && party->is_alive),
		.source = party ? party->source : 0,
		.source_state = state_if(party != NULL),
		.confidence = (uint8_t)link->confidence,
		.cpu_state =
			cpu >= 0 ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL),
		.thread_state = state_if(t != NULL),
		.is_idle = link->is_idle };
	struct record_tail tail[] = {
		tail_text(&row.name, &p->record, &p->name),
		tail_span(&row.thread, t ? record_text(&t->record, &t->name) : span_of("", 0)),
		tail_buffer(&row.call, &call),
		tail_buffer(&row.object, &object),
		tail_span(&row.party,
			party ? record_text(&party->record, &party->name) : span_of("", 0)),
		tail_string(&row.relation, party && party->relation < WAITS_RELATIONS
						   ? waits_relation_names.names[party->relation]
						   : ""),
		tail_buffer(&row.text, &text),
	};
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&call);
	buffer_fini(&object);
	buffer_fini(&text);
}

static void add_thread(struct buffer *rows, const struct wait_graph *g,
	const struct waits_process *p, const struct waits_thread *t)
{
	struct wait_link link = wait_link_of(g, p, t);
	struct buffer call = { 0 }, object = { 0 }, text = { 0 };

	call_of(&call, t);
	wait_object_text(&object, &link);
	wait_link_text(&text, g, &link);
	struct why_thread_row row = { .record = head_of(p, t),
		.since_s = (double)t->since_ns / (double)NS_PER_S,
		.timeout_s = (double)t->timeout_ns / (double)NS_PER_S,
		.what = link.what,
		.state = t->state,
		.call_state = t->call_state,
		.channel_state = t->channel_state,
		.since_state = t->since_state,
		.timeout_state = t->timeout_state,
		.object_state = state_if(object.size > 0) };
	struct record_tail tail[] = {
		tail_text(&row.name, &t->record, &t->name),
		tail_buffer(&row.call, &call),
		tail_text(&row.wait_channel, &t->record, &t->wait_channel),
		tail_buffer(&row.object, &object),
		tail_buffer(&row.text, &text),
	};
	RECORD_APPEND(rows, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&call);
	buffer_fini(&object);
	buffer_fini(&text);
}

static void add_threads(
	struct buffer *rows, const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct waits_process *before = NULL;
	unsigned count = 0;

	for (size_t i = 0; i < chain->count; i++) {
		const struct waits_process *p = chain->links[i].process;
		const struct waits_thread *t = NULL;

		if (p == before)
			continue;
		before = p;
		while ((t = wait_graph_thread(g, p->node_pid, t)) && count++ < THREADS_SHOWN)
			add_thread(rows, g, p, t);
	}
}

static void add_remedy(struct buffer *rows, const struct wait_chain *chain)
{
	struct why_remedy_row row = { 0 };
	struct buffer text = { 0 };

	wait_chain_remedy(&text, chain);
	struct record_tail tail[] = { tail_buffer(&row.text, &text) };
	if (text.size)
		RECORD_APPEND(rows, &row, tail, 1);
	buffer_fini(&text);
}

static uint8_t confidence_of(const struct wait_chain *chain)
{
	uint8_t least = WAITS_HIGH;

	for (size_t i = 0; i < chain->count; i++) {
		if ((uint8_t)chain->links[i].confidence < least)
			least = (uint8_t)chain->links[i].confidence;
	}
	return least;
}

/* The main process of an agent's session; NULL: it is none. */
static const struct process_entry *main_of(const struct waits_state *s, const struct process_id *id)
{
	const struct process_entry *p = process_table_get(&s->host.process_table, id);

	return p && p->link == PROCESS_LINK_SELF && p->agent && p->is_there &&
			       p->process->state != 'Z'
		       ? p
		       : NULL;
}

/* In these states the call of its event loop says no more than its activity. */
static bool is_whole(const struct activity *a)
{
	return a->state == ACTIVITY_WAITS_FOR_USER || a->state == ACTIVITY_WAITS_FOR_MODEL ||
	       a->state == ACTIVITY_ASKS_AGAIN || a->state == ACTIVITY_TALKS_TO_MCP ||
	       a->state == ACTIVITY_IDLE;
}

/* What it is doing comes before its chain, which follows if it shows more. */
static void add_activity(const struct waits_state *s, const struct process_entry *main,
	const struct wait_graph *g, const struct wait_chain *chain, struct buffer *rows,
	struct buffer *text)
{
	struct activity a;

	activity_find(&a, &s->host, main);
	activity_append_row(rows, &main->id, &a);
	buffer_format(text, "%s (%llu): ", main->agent->title, (unsigned long long)main->id.pid);
	activity_write(text, &a, ACTIVITY_TEXT_WHOLE);
	if (!chain->count || chain->links[0].is_idle || is_whole(&a))
		return;
	buffer_string(text, "; ");
	wait_chain_text(text, g, chain);
}

static int emit(struct waits_state *s, const struct snapshot *snapshot, struct sooth_error *err)
{
	const struct snapshot *first = snapshots_get(&s->first, &snapshot->id);
	struct wait_graph g = { .records = snapshot_records(snapshot),
		.before = first ? snapshot_records(first) : (struct batch){ 0 } };
	struct buffer text = { 0 }, waits = { 0 }, remedy = { 0 }, threads = { 0 };
	const struct process_entry *main = main_of(s, &snapshot->id);
	const struct waits_process *p;
	struct buffer activity = { 0 };
	struct wait_chain chain;
	const char *reason;
	int status;

	wait_chain_follow(&g, (uint32_t)snapshot->id.pid, &chain);
	p = chain.count ? chain.links[0].process : NULL;
	if (main)
		add_activity(s, main, &g, &chain, &activity, &text);
	else
		wait_chain_text(&text, &g, &chain);
	if (!chain.count)
		buffer_format(
			&text, "process %llu has ended", (unsigned long long)snapshot->id.pid);
	for (size_t i = 0; i < chain.count; i++)
		add_link(&waits, &g, &chain.links[i]);
	add_threads(&threads, &g, &chain);
	add_remedy(&remedy, &chain);
	reason = wait_chain_unknown(&chain);
	struct why_row row = { .record = row_head(&snapshot->id),
		.confidence = confidence_of(&chain),
		.reason_state = state_if(reason != NULL),
		.agent_state = state_if(main != NULL) };
	/* Rows come first, where they are aligned. */
	struct record_tail tail[] = {
		tail_buffer(&row.activity, &activity),
		tail_buffer(&row.waits, &waits),
		tail_buffer(&row.remedies, &remedy),
		tail_buffer(&row.evidence, &threads),
		tail_span(&row.name, p ? record_text(&p->record, &p->name) : span_of("", 0)),
		tail_string(&row.state, wait_chain_state(&chain)),
		tail_buffer(&row.text, &text),
		tail_string(&row.reason, reason ? reason : ""),
		tail_string(&row.agent, main ? main->agent->name : ""),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&activity);
	buffer_fini(&text);
	buffer_fini(&waits);
	buffer_fini(&remedy);
	buffer_fini(&threads);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section plain = {
		.name = "processes",
		.schema = &why_schema,
		.shape = SECTION_TABLE,
		.if_empty = "no process was read: it had ended, or the capture has no waits",
	};
	static const struct section with_threads = {
		.name = "processes",
		.schema = &why_evidence_schema,
		.shape = SECTION_TABLE,
		.if_empty = "no process was read: it had ended, or the capture has no waits",
	};
	struct waits_state *s = state;
	const struct snapshot *snapshot;
	size_t position = 0;
	int status = host_state_resolve(&s->host, err);

	if (!status)
		status = output_section(s->output, s->with_threads ? &with_threads : &plain, err);

	while (!status && (snapshot = snapshots_next(&s->last, &position)))
		status = emit(s, snapshot, err);
	return status;
}

static void fini(void *state)
{
	struct waits_state *s = state;

	host_state_fini(&s->host);
	snapshots_fini(&s->last);
	snapshots_fini(&s->first);
	map_fini(&s->has_first);
}

static const struct sooth_schema *const tables[] = { &why_schema, NULL };

const struct stage_type stage_waits = {
	.name = "waits",
	.help = "what each process waits for, and which process could end that",
	.probe = "waits",
	.shows = "waits",
	.tables = tables,
	.state_size = sizeof(struct waits_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
