/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/fleet/fleet_metrics.h"

#include "analyze/fleet/fleet_rows.h"
#include "model/schema.h"

#define GAUGE(field_, name_, help_, ...)                                                           \
	{                                                                                          \
		.field = field_, .name = name_, .type = METRIC_GAUGE, .help = help_, __VA_ARGS__   \
	}
#define COUNTER(field_, name_, help_, ...)                                                         \
	{                                                                                          \
		.field = field_, .name = name_, .type = METRIC_COUNTER, .help = help_, __VA_ARGS__ \
	}
#define INFO(field_, name_, help_, label_)                                                         \
	{                                                                                          \
		.field = field_, .name = name_, .type = METRIC_INFO, .help = help_,                \
		.label = label_                                                                    \
	}
#define OF(label_, value_) .label = label_, .value = value_
#define SECTION_METRICS(id)                                                                        \
	&(const struct section_metrics)                                                            \
	{                                                                                          \
		id##_labels, id##_metrics                                                          \
	}

/* The metrics of FLEET_NOW; `of`: "agent" or "session". */
#define NOW_METRICS(of, owner)                                                                     \
	GAUGE("processes", "sooth_" of "_processes", "Number of " owner "."),                      \
		GAUGE("threads", "sooth_" of "_threads", "Threads of " owner "."),                 \
		GAUGE("rss_bytes", "sooth_" of "_resident_memory_bytes",                           \
			"Resident memory of " owner "; shared pages count once a process."),       \
		GAUGE("anonymous_bytes", "sooth_" of "_memory_bytes",                              \
			"Memory by class, of " owner ".", OF("class", "anonymous")),               \
		GAUGE("file_bytes", "sooth_" of "_memory_bytes", NULL, OF("class", "file")),       \
		GAUGE("shared_bytes", "sooth_" of "_memory_bytes", NULL, OF("class", "shared")),   \
		GAUGE("swap_bytes", "sooth_" of "_memory_bytes", NULL, OF("class", "swap")),       \
		GAUGE("descriptors", "sooth_" of "_open_descriptors",                              \
			"Open file descriptors of " owner "."),                                    \
		GAUGE("watches", "sooth_" of "_inotify_watches", "inotify watches of " owner ".")

#define SESSION_LABELS                                                                             \
	{ "agent", "agent" }, { "project", "project" }, { "session_id", "session" },               \
	{                                                                                          \
		"pid", "pid"                                                                       \
	}

/* --- agents, by role --- */

static const struct section_label agent_labels[] = { { "agent", "agent" }, { "role", "role" },
	{ NULL, NULL } };
static const struct section_metric agent_metrics[] = {
	COUNTER("cpu_ns", "sooth_agent_cpu_seconds",
		"CPU time of an agent's processes, by role, since sooth started."),
	NOW_METRICS("agent", "an agent's processes, by role"),
	{ 0 },
};
ROW_SCHEMA(fleet_agent, FLEET_AGENT_ROW, "fleet_agents", fleet_agent_row);
const struct section fleet_agents = SECTION_OF("fleet_agents", fleet_agent_schema, TABLE,
	.title = "agents", .metrics = SECTION_METRICS(agent));

/* --- sessions --- */

static const struct section_label session_labels[] = { SESSION_LABELS, { NULL, NULL } };
static const struct section_metric session_metrics[] = {
	COUNTER("cpu_ns", "sooth_session_cpu_seconds",
		"CPU time of a session's processes since sooth started."),
	COUNTER("read_bytes", "sooth_session_read_bytes",
		"Bytes that a session's processes read, from anything."),
	COUNTER("written_bytes", "sooth_session_written_bytes",
		"Bytes that a session's processes wrote, to anything."),
	COUNTER("turns", "sooth_session_turns", "Answers of the model, by the agent's log."),
	COUNTER("input_tokens", "sooth_session_tokens", "Tokens, by the agent's log.",
		OF("direction", "input")),
	COUNTER("output_tokens", "sooth_session_tokens", NULL, OF("direction", "output")),
	GAUGE("context_tokens", "sooth_session_context_tokens",
		"Tokens of context in use, by the agent's log."),
	INFO("model", "sooth_session", "The model of a session, by the agent's log.", "model"),
	NOW_METRICS("session", "a session's processes"),
	{ 0 },
};
ROW_SCHEMA(fleet_session, FLEET_SESSION_ROW, "fleet_sessions", fleet_session_row);
const struct section fleet_sessions = SECTION_OF("fleet_sessions", fleet_session_schema, TABLE,
	.title = "sessions", .metrics = SECTION_METRICS(session));

static const struct section_label activity_labels[] = { SESSION_LABELS, { "state", "state" },
	{ NULL, NULL } };
static const struct section_metric activity_metrics[] = {
	COUNTER("total_ns", "sooth_session_activity_seconds",
		"Time that a session spent in a state, such as waits_for_model."),
	GAUGE("is_now", "sooth_session_activity", "1: the state of a session now; 0: not now."),
	{ 0 },
};
ROW_SCHEMA(fleet_activity, FLEET_ACTIVITY_ROW, "fleet_activity", fleet_activity_row);
const struct section fleet_activity = SECTION_OF("fleet_activity", fleet_activity_schema, TABLE,
	.title = "what sessions do", .metrics = SECTION_METRICS(activity));

/* --- findings --- */

static const struct section_label finding_labels[] = { SESSION_LABELS, { "id", "finding" },
	{ "severity", "severity" }, { NULL, NULL } };
static const struct section_metric finding_metrics[] = {
	GAUGE("count", "sooth_findings", "Findings of a diagnosis that hold now."),
	{ 0 },
};
ROW_SCHEMA(fleet_finding, FLEET_FINDING_ROW, "fleet_findings", fleet_finding_row);
const struct section fleet_findings = SECTION_OF("fleet_findings", fleet_finding_schema, TABLE,
	.title = "findings", .metrics = SECTION_METRICS(finding));

static const struct section_label raised_labels[] = { { "agent", "agent" }, { "id", "finding" },
	{ NULL, NULL } };
static const struct section_metric raised_metrics[] = {
	COUNTER("times", "sooth_findings_raised", "How often a finding was raised."),
	{ 0 },
};
ROW_SCHEMA(fleet_raised, FLEET_RAISED_ROW, "fleet_raised", fleet_raised_row);
const struct section fleet_raised = SECTION_OF("fleet_raised", fleet_raised_schema, TABLE,
	.title = "findings raised", .metrics = SECTION_METRICS(raised));

/* --- the model --- */

static const struct section_label api_labels[] = { { "agent", "agent" }, { "model", "model" },
	{ "host", "host" }, { "provider", "provider" }, { "outcome", "outcome" },
	{ "source", "source" }, { NULL, NULL } };
static const struct section_metric api_metrics[] = {
	{ .field = "wait_ns",
		.name = "sooth_model_wait_seconds",
		.type = METRIC_HISTOGRAM,
		.help = "Time from a request to the model until its answer was complete, by "
			"samples.",
		.sum = "total_ns",
		.first_slot = 27,
		.last_slot = 40 }, /* 134 ms to 2199 s */
	{ .field = "call_ns",
		.name = "sooth_api_call_seconds",
		.type = METRIC_HISTOGRAM,
		.help = "Time from the first byte of a request to the last byte of its answer, or "
			"until it failed, by probes.",
		.sum = "total_ns",
		.first_slot = 23,
		.last_slot = 40 }, /* 8 ms to 2199 s */
	{ 0 },
};
ROW_SCHEMA(fleet_api, FLEET_API_ROW, "fleet_api", fleet_api_row);
const struct section fleet_api = SECTION_OF("fleet_api", fleet_api_schema, TABLE,
	.title = "requests to models", .metrics = SECTION_METRICS(api));

/* --- sooth itself --- */

static const struct section_label self_labels[] = { { NULL, NULL } };
static const struct section_metric self_metrics[] = {
	INFO("version", "sooth_build", "The version of sooth.", "version"),
	INFO("host_name", "sooth_host", "The host that sooth observes.", "host"),
	COUNTER("cpu_ns", "sooth_self_cpu_seconds", "CPU time of sooth itself."),
	GAUGE("self_bytes", "sooth_self_resident_memory_bytes", "Resident memory of sooth itself."),
	COUNTER("samples", "sooth_samples", "Samples of the host."),
	GAUGE("sample_utc_ns", "sooth_last_sample_timestamp_seconds",
		"Time of the last sample, in seconds since 1970."),
	GAUGE("probes_calls", "sooth_api_probes",
		"1: probes measure API calls now; 0: they do not, for lack of privilege or "
		"agents."),
	COUNTER("lost_records", "sooth_lost_records", "Records lost on their way to sooth."),
	COUNTER("answers", "sooth_scrapes", "Requests for these metrics, by result.",
		OF("result", "answered")),
	COUNTER("refused", "sooth_scrapes", NULL, OF("result", "refused")),
	GAUGE("sessions", "sooth_sessions", "Sessions that run."),
	GAUGE("sessions_most", "sooth_sessions_limit",
		"Maximum number of sessions with labels of their own; the rest has "
		"agent=\"other\"."),
	GAUGE("folded", "sooth_sessions_folded", "Sessions that share the labels of \"other\"."),
	COUNTER("refused_rows", "sooth_label_sets_refused",
		"Processes, roles, models and findings for which there was no room."),
	{ 0 },
};
ROW_SCHEMA(fleet_self, FLEET_SELF_ROW, "fleet_self", fleet_self_row);
const struct section fleet_self = SECTION_OF("fleet_self", fleet_self_schema, OBJECT,
	.title = "sooth itself", .metrics = SECTION_METRICS(self));

const struct sooth_schema *const fleet_tables[] = { &fleet_agent_schema, &fleet_session_schema,
	&fleet_activity_schema, &fleet_finding_schema, &fleet_raised_schema, &fleet_api_schema,
	&fleet_self_schema, NULL };
