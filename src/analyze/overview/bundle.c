/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The content of a bug report: versions, each selected process in detail, and the findings of the
 * view "findings". It has names and paths as they are: the sink "redacted" replaces them.
 */
#include "analyze/overview/bundle.h"

#include <stdlib.h>

#include "analyze/overview/bundle_parts.h"
#include "analyze/diagnosis/finding_gone.h"
#include "analyze/diagnosis/diagnosis.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"

struct bundle {
	struct output *output;
	struct diagnosis diagnosis;
};

/* --- the host --- */

static int emit_head(struct output *output, const struct host_state *h, struct sooth_error *err)
{
	static const struct section section = {
		.name = "bundle", .schema = &bundle_head_schema, .shape = SECTION_INLINE
	};
	const struct stream_segment none = { 0 }, *s = h->segment ? h->segment : &none;
	struct bundle_head_row row = { .memory_bytes = s->memory_bytes, .cpus = s->cpus };
	char timestamp[UNITS_SIZE] = "";
	int status = output_section(output, &section, err);

	if (h->segment)
		format_utc(timestamp, host_state_utc(h));
	struct record_tail tail[] = {
		tail_string(&row.timestamp, timestamp),
		tail_span(&row.sooth_version, host_state_text(h, &s->sooth_version)),
		tail_span(&row.hostname, host_state_text(h, &s->hostname)),
		tail_span(&row.os, host_state_text(h, &s->os)),
		tail_span(&row.os_version, host_state_text(h, &s->os_version)),
		tail_span(&row.architecture, host_state_text(h, &s->architecture)),
	};
	return status ? status : OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_installed(
	struct output *output, const struct process_table *c, struct sooth_error *err)
{
	static const struct section section = {
		.name = "installed", .schema = &bundle_installed_schema, .shape = SECTION_TABLE
	};
	const struct process_table_installed *all = (const void *)c->installed.data;
	int status = output_section(output, &section, err);

	for (size_t i = 0; i < c->installed.size / sizeof(*all) && !status; i++) {
		struct bundle_installed_row row = { .record = { 0 } };
		struct record_tail tail[] = {
			tail_string(&row.agent, all[i].agent ? all[i].agent->name : ""),
			tail_span(&row.version, process_table_text(c, &all[i].version)),
			tail_span(&row.path, process_table_text(c, &all[i].path)),
		};

		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static int emit_host(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	static const struct section section = {
		.name = "host", .schema = &finding_host_schema, .shape = SECTION_OBJECT
	};
	const struct host_state *h = &input->host;
	struct finding_host_row row = { .finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = j->count ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.fine_text_state = SOOTH_STATE_ABSENT,
		.blind_text_state = SOOTH_STATE_ABSENT };
	struct span none = span_of("", 0);
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.hostname,
			h->segment ? host_state_text(h, &h->segment->hostname) : none),
		tail_span(&row.os_version,
			h->segment ? host_state_text(h, &h->segment->os_version) : none),
	};
	int status = output_section(output, &section, err);

	return status ? status : OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- processes --- */

static void fill_row(const struct diagnosis_input *input, const struct diagnosed *j,
	const struct agent *agent, struct bundle_process_row *row)
{
	const struct process_entry *c = j->process;
	const struct proc_process *p = c->process;
	bool has_user = record_holds(&p->record, offsetof(struct proc_process, terminal_name));

	*row = (struct bundle_process_row){ .record = row_head(&j->id),
		.cpu_percent = process_table_cpu_percent(c),
		.rss_bytes = p->rss_bytes,
		.vsz_bytes = p->vsz_bytes,
		.elapsed_s = host_state_elapsed(&input->host, c),
		.ppid = p->ppid,
		.thread_count = p->threads,
		.state = p->state,
		.is_deleted = p->is_deleted,
		.agent_state = state_if(agent != NULL),
		.version_state = state_if(c->agent && c->match.version.size),
		.rule_state = state_if(c->agent && c->match.rule),
		.role_state = state_if(c->has_role),
		.user_state = state_if(has_user && p->user.size),
		.project_state = c->project.size ? c->project_state : SOOTH_STATE_ABSENT,
		.executable_state = p->executable_state,
		.directory_state = p->directory_state,
		.command_state = p->arguments_state };
	row->cpu_state = row->cpu_percent >= 0 ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

static int emit_process(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	const struct process_table *c = &input->host.process_table;
	const struct process_entry *one = j->process;
	const struct proc_process *p = one->process;
	const struct agent *agent = one->agent ? one->agent : one->owner_agent;
	struct span none = span_of("", 0);
	struct bundle_process_row row;
	struct bundle_parts parts;
	int status;

	fill_row(input, j, agent, &row);
	if (bundle_parts_make(&parts, input, j, &row)) {
		bundle_parts_fini(&parts);
		return error_no_memory(err);
	}
	struct record_tail tail[] = {
		tail_buffer(&row.threads, &parts.threads),
		tail_buffer(&row.descriptors, &parts.descriptors),
		tail_buffer(&row.sockets, &parts.sockets),
		tail_buffer(&row.peers, &parts.peers),
		tail_buffer(&row.memory, &parts.memory),
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.unseen, &j->blind),
		tail_text(&row.name, &p->record, &p->name),
		tail_string(&row.agent, agent ? agent->name : ""),
		tail_span(&row.version, one->match.version),
		tail_string(&row.rule, one->match.rule ? one->match.rule : ""),
		tail_string(&row.role, one->has_role ? agent_role_name(one->role) : ""),
		tail_span(&row.user, row.user_state ? none : record_text(&p->record, &p->user)),
		tail_span(&row.project, process_table_text(c, &one->project)),
		tail_text(&row.executable, &p->record, &p->executable),
		tail_text(&row.directory, &p->record, &p->directory),
		tail_text(&row.command, &p->record, &p->arguments),
	};
	status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	bundle_parts_fini(&parts);
	return status;
}

/* --- the stage --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_options findings = { 0 };
	struct bundle *b = state;

	if (options)
		findings = ((const struct bundle_options *)options)->findings;
	findings.result = NULL;
	b->output = output;
	return diagnosis_init(&b->diagnosis, &findings, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct bundle *b = state;

	(void)err;
	diagnosis_input_take(&b->diagnosis.input, batch);
	return 0;
}

static int emit_all(struct bundle *b, struct sooth_error *err)
{
	static const struct section section = {
		.name = "processes", .schema = &bundle_process_schema, .shape = SECTION_TABLE
	};
	const struct diagnosis_input *input = &b->diagnosis.input;
	const struct diagnosed *all = b->diagnosis.all;
	size_t count = b->diagnosis.count;
	int status = emit_head(b->output, &input->host, err);

	if (!status)
		status = emit_installed(b->output, &input->host.process_table, err);
	if (!status)
		status = output_section(b->output, &section, err);
	for (size_t i = 1; i < count && !status; i++)
		status = all[i].process ? emit_process(b->output, input, &all[i], err) : 0;
	if (!status)
		status = finding_gone_emit_all(b->output, input, all, count, err);
	return status ? status : emit_host(b->output, input, &all[0], err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct bundle *b = state;
	int status = diagnosis_run(&b->diagnosis, err);

	return status ? status : emit_all(b, err);
}

static void fini(void *state)
{
	struct bundle *b = state;

	diagnosis_fini(&b->diagnosis);
}

const struct stage_type stage_bundle = {
	.name = "bundle",
	.help = "versions, process details and findings for a bug report",
	.shows = "proc",
	.state_size = sizeof(struct bundle),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};
