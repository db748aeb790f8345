/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth doctor: shows what can be observed here, by which method and at which overhead, and how to
 * enable the rest. The command only checks requirements and attaches nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command/command.h"
#include "cli/output/method_price.h"
#include "cli/output/own_report.h"
#include "model/probe.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "os/os.h"

#define FACTS_MAX     32
#define REFUSALS_MAX  8 /* different reasons */
#define REFUSED_BYTES 512

struct doctor_config {
	struct output_options output;
};

static const struct option_group groups[] = {
	OUTPUT_GROUP(struct doctor_config, output),
	FILE_GROUP(struct doctor_config, output),
};

/* --- rows --- */

#define FACT_ROW(F, S)                                                                             \
	F(S, TEXT, name, ALWAYS, "property of the host: kernel, user, capabilities, ...")          \
	F(S, NAMED, TEXT, value, text, ALWAYS, "value of the property", .label = "VALUE",          \
		.may_shrink = true)

ROW_TABLE(fact, FACT_ROW, "facts", fact_row);

#define METHOD_ROW(F, S)                                                                           \
	F(S, TEXT, probe, ALWAYS, "name of the probe")                                             \
	F(S, TEXT, method, ALWAYS, "name of the backend (method of the probe)")                    \
	F(S, BOOL, is_usable, ALWAYS,                                                              \
		"the method works on this host with the privileges of the user",                   \
		.label = "USABLE")                                                                 \
	METHOD_PRICE(F, S)                                                                         \
	F(S, TEXT, help, ALWAYS, "description of the method", .may_shrink = true)                  \
	F(S, NAMED, TEXT, why, reason, ALWAYS, "reason why the method does not work",              \
		.is_hidden = true)                                                                 \
	F(S, TEXT, missing, ALWAYS, "privilege or kernel feature that the method lacks",           \
		.is_hidden = true)                                                                 \
	F(S, TEXT, remedy, ALWAYS, "how to get the missing privilege or feature", .is_hidden = true)

ROW_TABLE(method, METHOD_ROW, "methods", method_row);

/* --- output --- */

static int emit_environment(struct output *o, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("facts", fact_schema, TABLE, .title = "This environment:");
	struct environment_fact facts[FACTS_MAX];
	size_t count = os_native.environment(&os_native, facts, FACTS_MAX);
	int status = output_section(o, &section, err);

	for (size_t i = 0; i < count && !status; i++) {
		struct fact_row row = { 0 };
		struct record_tail tail[] = { tail_string(&row.name, facts[i].name),
			tail_string(&row.value, facts[i].value) };

		status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

/* Methods that lack the same: they share a line. */
struct refusals {
	struct refused {
		struct sooth_error refusal;
		char methods[REFUSED_BYTES];
	} all[REFUSALS_MAX];
	size_t count;
};

static void note_refusal(struct refusals *r, const struct backend *b, const struct sooth_error *e)
{
	struct refused *at = r->all;
	size_t used;

	while (at < r->all + r->count &&
		(strcmp(at->refusal.why, e->why) || strcmp(at->refusal.remedy, e->remedy)))
		at++;
	if (at == r->all + REFUSALS_MAX)
		return; /* its row says why */
	if (at == r->all + r->count)
		r->all[r->count++] = (struct refused){ .refusal = *e };
	used = strlen(at->methods);
	snprintf(at->methods + used, sizeof(at->methods) - used, "%s%s by %s", used ? ", " : "",
		b->probe, b->name);
}

static int emit_method(struct output *o, const struct backend *b, const struct backend_mode *mode,
	const struct sooth_error *refusal, struct sooth_error *err)
{
	struct method_row row = { .is_usable = !refusal->code,
		.target_ns = mode->target_ns,
		.bystander_ns = mode->bystander_ns,
		.price_state = state_if(mode->price_source) };
	struct record_tail tail[] = {
		tail_string(&row.probe, b->probe),
		tail_string(&row.method, mode->name),
		tail_string(&row.help, mode->help),
		tail_string(&row.price_source, mode->price_source),
		tail_string(&row.why, refusal->why),
		tail_string(&row.missing, refusal->missing),
		tail_string(&row.remedy, refusal->remedy),
	};
	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

/* Emits a method and its modes. A mode, which an option sets, is usable if its method is. */
static int emit_backend(
	struct output *o, const struct backend *b, struct refusals *r, struct sooth_error *err)
{
	struct backend_mode usual = backend_default_mode(b);
	struct sooth_error refusal = { 0 };
	int status;

	if (backend_test_needs(b, &os_native, &refusal))
		note_refusal(r, b, &refusal);
	status = emit_method(o, b, &usual, &refusal, err);
	for (const struct backend_mode *m = b->modes; m && m->name && !status; m++)
		status = emit_method(o, b, m, &refusal, err);
	return status;
}

static int emit_methods(struct output *o, struct sooth_error *err)
{
	static const struct section methods = SECTION_OF("methods", method_schema, TABLE,
		.title = "What sooth can observe on this system, by which method:");
	_cleanup_free_ struct refusals *r = calloc(1, sizeof(*r));
	int status = r ? output_section(o, &methods, err) : error_no_memory(err);

	for (size_t i = 0; os_native.backends[i] && !status; i++)
		status = emit_backend(o, os_native.backends[i], r, err);
	for (size_t i = 0; r && i < r->count; i++)
		output_limit(o, r->all[i].methods, r->all[i].refusal.why, r->all[i].refusal.remedy);
	return status;
}

static int emit_missing_probes(struct output *o, struct sooth_error *err)
{
	int status = 0;

	for (size_t p = 0; registry_probes[p] && !status; p++) {
		struct backend none = { .name = "none", .probe = registry_probes[p]->name };
		struct method_row row = { .price_state = SOOTH_STATE_ABSENT };
		bool has_backend = false;

		for (size_t i = 0; os_native.backends[i]; i++)
			has_backend |= !strcmp(os_native.backends[i]->probe, none.probe);
		if (has_backend)
			continue;
		output_limit(o, none.probe, "not supported on this system",
			"read a capture that was recorded on another system: sooth report "
			"FILE.sooth");
		struct record_tail tail[] = {
			tail_string(&row.probe, none.probe),
			tail_string(&row.method, none.name),
			tail_string(&row.help, registry_probes[p]->help),
			tail_string(&row.why, "not supported on this system"),
			tail_string(&row.missing, ""),
			tail_string(&row.remedy, "read a capture that was recorded on another "
						 "system: sooth report FILE.sooth"),
		};
		status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static int emit_system(struct output *o, void *user, struct sooth_error *err)
{
	int status = emit_environment(o, err);

	(void)user;
	if (!status)
		status = emit_methods(o, err);
	return status ? status : emit_missing_probes(o, err);
}

static int run_doctor(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct doctor_config *c = config;

	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use \"%s\" as an argument of doctor",
			arguments->count ? arguments->items[0] : "--");
		error_why(err, "doctor checks this system, not a target");
		return error_remedy(err, "`sooth inspect PID` shows a process");
	}
	return own_report_emit("doctor", &c->output, emit_system, NULL, err);
}

static const struct command_table tables[] = { { "facts", &fact_schema },
	{ "methods", &method_schema }, { 0 } };

const struct command command_doctor = {
	.tables = tables,
	.main_options = "json,verbose,output",
	.name = "doctor",
	.summary = "what sooth can observe on this system, and how to get the rest",
	.usage = "[-j]",
	.about = "Lists what sooth can observe on this system: the methods of each probe (source "
		 "of\n"
		 "data), which of them work here, and what is missing for the others. Nothing is\n"
		 "attached and nothing is changed.",
	COMMAND_GROUPS(groups),
	.config_size = sizeof(struct doctor_config),
	.run = run_doctor,
};
