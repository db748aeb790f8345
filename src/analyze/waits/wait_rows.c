/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_rows.h"

#include <assert.h>

#include "analyze/waits/wait_text.h"
#include "analyze/waits/why_rows.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "probes/syscall_names.h"

#define THREADS_SHOWN 64

static struct sooth_record record_head_of(
	const struct waits_process *p, const struct waits_thread *t)
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
	struct why_link_row row = { .record = record_head_of(p, t),
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

void wait_append_link_rows(
	struct buffer *rows, const struct wait_graph *g, const struct wait_chain *chain)
{
	assert(chain);
	for (size_t i = 0; i < chain->count; i++)
		add_link(rows, g, &chain->links[i]);
}

static void add_thread(struct buffer *rows, const struct wait_graph *g,
	const struct waits_process *p, const struct waits_thread *t)
{
	struct wait_link link = wait_link_of(g, p, t);
	struct buffer call = { 0 }, object = { 0 }, text = { 0 };

	call_of(&call, t);
	wait_object_text(&object, &link);
	wait_link_text(&text, g, &link);
	struct why_thread_row row = { .record = record_head_of(p, t),
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

void wait_append_thread_rows(
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

void wait_append_remedy_row(struct buffer *rows, const struct wait_chain *chain)
{
	struct why_remedy_row row = { 0 };
	struct buffer text = { 0 };

	wait_chain_remedy(&text, chain);
	struct record_tail tail[] = { tail_buffer(&row.text, &text) };
	if (text.size)
		RECORD_APPEND(rows, &row, tail, 1);
	buffer_fini(&text);
}
