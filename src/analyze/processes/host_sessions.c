/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions section: each main process with the sums of its session. */
#include "analyze/processes/host_emit.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/processes/host_rows.h"
#include "analyze/processes/process_emit.h"
#include "base/cleanup.h"

#define REFUSED SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)

/* The sums of one session. */
struct session_sum {
	struct session_row row;
	bool has_cpu;
	unsigned verdicts; /* a bit for each verdict that holds for one of its processes */
};

static void add_process(
	struct session_sum *sum, const struct host_state *h, const struct process_entry *p)
{
	double cpu = process_table_cpu_percent(p);
	uint64_t age = host_state_elapsed(h, p);
	bool is_player = p->has_role && (!p->player || p->player == p);

	sum->row.processes++;
	sum->row.tools += is_player && p->role == AGENT_ROLE_TOOL;
	sum->row.mcp_servers += is_player && p->role == AGENT_ROLE_MCP;
	if (!p->has_role && p->role_state)
		sum->row.roles_state = p->role_state;
	sum->row.rss_bytes += p->process->rss_bytes;
	sum->row.cpu_percent += cpu > 0 ? cpu : 0;
	sum->has_cpu |= cpu >= 0;
	if (age > sum->row.oldest_s)
		sum->row.oldest_s = age;
	for (int kind = 0; kind < VERDICTS; kind++) {
		struct verdict v;

		verdict_decide(&h->process_table, p, (enum verdict_kind)kind, &v);
		sum->verdicts |= (unsigned)v.holds << kind;
		/* Without permission a missing flag does not mean that all is well. */
		if ((kind == VERDICT_ORPHANED || kind == VERDICT_ABANDONED) && v.state == REFUSED)
			sum->row.flags_state = REFUSED;
	}
}

static const char *flags_of(const struct session_sum *sum, char out[FLAGS_SIZE])
{
	struct verdict verdicts[VERDICTS] = { 0 };
	struct listed l = { .verdicts = verdicts };

	for (int kind = 0; kind < VERDICTS; kind++)
		verdicts[kind].holds = sum->verdicts >> kind & 1;
	return process_flags(&l, out);
}

static uint8_t text_state(uint8_t state, struct span text)
{
	return state == SOOTH_STATE_VALUE && !text.size ? SOOTH_STATE_ABSENT : state;
}

/* Not requested, unless exits were watched. */
static void fill_short_lived(
	const struct host_emit *t, const struct process_entry *main, struct session_row *row)
{
	const struct short_lived *f = &t->host->short_lived;
	const struct short_lived_group *group = map_get(&f->sessions, &main->id);

	row->fleeting = group ? group->count : 0;
	row->fleeting_state =
		f->is_watched ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static int emit_session(const struct host_emit *t, const struct process_entry *main,
	struct session_sum *sum, struct sooth_error *err)
{
	const struct process_table *c = &t->host->process_table;
	struct session_row *row = &sum->row;
	struct span status_text = span_of("", 0);
	char flags[FLAGS_SIZE];

	row->record = row_head(&main->id);
	fill_short_lived(t, main, row);
	if (!sum->has_cpu)
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row->status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (main->session) {
		status_text = record_text(&main->session->record, &main->session->status);
		row->status_state = text_state(main->session->status_state, status_text);
	}
	struct record_tail tail[] = {
		tail_string(&row->agent, main->agent ? main->agent->name : ""),
		tail_span(&row->project, process_table_text(c, &main->project)),
		tail_span(&row->session_id, process_table_text(c, &main->session_id)),
		tail_span(&row->status, status_text),
		tail_string(&row->flags, flags_of(sum, flags)),
	};
	if (*flags)
		row->flags_state = SOOTH_STATE_VALUE;
	else if (!row->flags_state)
		row->flags_state = SOOTH_STATE_ABSENT;
	row->project_state = text_state(main->project_state, process_table_text(c, &main->project));
	row->session_state =
		text_state(main->session_state, process_table_text(c, &main->session_id));
	return OUTPUT_ROW(t->output, row, tail, ARRAY_SIZE(tail), err);
}

/* One walk for all: `sums` is indexed like the main processes in the list. */
static void add_all(const struct host_emit *t, const struct map *places, struct session_sum *sums)
{
	const struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(&t->host->process_table, &position))) {
		const size_t *place = p->main ? map_get(places, &p->main->id) : NULL;

		if (place)
			add_process(&sums[*place], t->host, p);
	}
}

int host_emit_sessions(const struct host_emit *t, struct sooth_error *err)
{
	const struct section section = { .name = "sessions",
		.title = "sessions",
		.schema = &session_row_schema,
		.spare = "oldest_s,status,mcp_servers,tools,session_id",
		.shape = SECTION_TABLE,
		.rows_least = t->options->hides_sessions ? SIZE_MAX : 1 };
	_cleanup_free_ struct session_sum *sums = calloc(t->list->count + 1, sizeof(*sums));
	struct map places;
	int status = sums ? output_section(t->output, &section, err) : error_no_memory(err);

	map_init(&places, sizeof(struct process_id), sizeof(size_t), t->list->count + 1);
	for (size_t i = 0; i < t->list->count && !status; i++) {
		size_t *place = t->list->all[i].p->link == PROCESS_LINK_SELF
					? map_put(&places, &t->list->all[i].p->id, NULL)
					: NULL;

		if (place)
			*place = i;
	}
	if (!status)
		add_all(t, &places, sums);
	for (size_t i = 0; i < t->list->count && !status; i++) {
		if (map_get(&places, &t->list->all[i].p->id))
			status = emit_session(t, t->list->all[i].p, &sums[i], err);
	}
	map_fini(&places);
	/* The section is a local variable: close it before it goes out of scope. */
	return status ? status : output_close_section(t->output, err);
}
