/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth monitor: writes records of agents to FIFOs as they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/config/config_files.h"
#include "cli/command/command.h"
#include "cli/command/settings.h"
#include "cli/monitor/monitor.h"
#include "cli/monitor/monitor_lines.h"
#include "cli/run.h"
#include "secrets/forget.h"

struct monitor_config {
	struct target_options target;
	struct {
		const char *fifo_dir;
		uint64_t duration_ns, buffer_bytes, history_bytes, sample_ns, max_overhead_percent;
		const char *history_dir;
		bool no_history;
	} monitor;
	struct {
		const char *listen, *token, *tls, *textfile;
		uint64_t sessions_most;
		bool has_probes;
	} metrics;
	struct {
		const char *url, *headers, *encoding;
		bool is_insecure, is_packed;
	} otlp;
	const char *hash_names;
	struct {
		const char *command;
		struct option_list on;
	} alerts;
	const char *control;
	const char *file;
	bool is_check;
};

static const struct option monitor_rows[] = {
	VALUE_ROW(0, "fifo-dir", FILE, "DIR", monitor_config, monitor.fifo_dir,
		"folder of the FIFOs (default: ~/.claude/fifos, with sudo of the invoking user)",
		.is_input = true),
	VALUE_ROW('d', "duration", DURATION, "TIME", monitor_config, monitor.duration_ns,
		"stop after this time", .min = NS_PER_MS, .max = 366 * 86400 * NS_PER_S),
	VALUE_ROW(0, "buffer", BYTES, "SIZE", monitor_config, monitor.buffer_bytes,
		"buffer of each kind of records, and of each reader (8M)", .min = 1u << 20,
		.max = 1ull << 30),
	VALUE_ROW(0, "max-overhead", U64, "PCT", monitor_config, monitor.max_overhead_percent,
		"observe less once the probes take more than PCT % of the target's CPU time (5)",
		.min = 1, .max = 100),
};

static const struct option metrics_rows[] = {
	VALUE_ROW(0, "listen", TEXT, "ADDRESS", monitor_config, metrics.listen,
		"serve metrics by HTTP: 127.0.0.1:9400, [::1]:9400 or unix:PATH"),
	VALUE_ROW(0, "listen-token", FILE, "FILE", monitor_config, metrics.token,
		"file with the token that readers of metrics must send", .is_input = true),
	VALUE_ROW(0, "listen-tls", TEXT, "CERT,KEY", monitor_config, metrics.tls,
		"serve metrics by TLS, with these PEM files"),
	FLAG_ROW(0, "api-metrics", monitor_config, metrics.has_probes,
		"measure API calls by probes: each system call of the host takes some 0.15us more"),
	VALUE_ROW(0, "max-sessions", U64, "N", monitor_config, metrics.sessions_most,
		"sessions with labels of their own in metrics (200)", .min = 1, .max = 10000),
	VALUE_ROW(0, "hash-names", TEXT, "KEYFILE", monitor_config, hash_names,
		"hashes by this key instead of the names of projects and of the host"),
};

static const char *encoding_name(size_t index)
{
	static const char *const names[] = { "protobuf", "json", NULL };

	return names[index];
}

static const struct option otlp_rows[] = {
	VALUE_ROW(0, "otlp", TEXT, "URL", monitor_config, otlp.url,
		"send traces, logs and metrics to this collector of OpenTelemetry"),
	VALUE_ROW(0, "otlp-headers", FILE, "FILE", monitor_config, otlp.headers,
		"headers for the collector, a line each (mode 0600)", .is_input = true),
	VALUE_ROW(0, "otlp-encoding", CHOICE, "NAME", monitor_config, otlp.encoding,
		"protobuf (default) or json", .choice = encoding_name),
	FLAG_ROW(0, "otlp-gzip", monitor_config, otlp.is_packed, "send in gzip"),
	FLAG_ROW(
		0, "otlp-insecure", monitor_config, otlp.is_insecure, "allow http to another host"),
};

/* No setting of a file: a file of the user of sudo would choose what root replaces. */
static const struct option textfile_rows[] = {
	VALUE_ROW(0, "textfile", FILE, "FILE", monitor_config, metrics.textfile,
		"write metrics for node_exporter, every 15 s (mode 0644)"),
};

static const struct option alert_rows[] = {
	VALUE_ROW(0, "on-alert", TEXT, "PROGRAM", monitor_config, alerts.command,
		"program to run when a finding is raised and when it clears, JSON on its stdin"),
	VALUE_ROW(0, "alert-on", LIST, "LIST", monitor_config, alerts.on,
		"findings that raise alerts: ids, or a severity and all that are worse (all)"),
};

static const struct option control_rows[] = {
	VALUE_ROW(0, "control", TEXT, "SOCKET", monitor_config, control,
		"listen at this socket for ping, pause, resume, mark NAME, snapshot"),
};

static const struct option history_rows[] = {
	FLAG_ROW(0, "no-history", monitor_config, monitor.no_history,
		"keep no history of what sessions do; then nothing runs without a reader"),
	VALUE_ROW(0, "history-dir", FILE, "DIR", monitor_config, monitor.history_dir,
		"folder of the history (default: ~/.local/state/sooth/history)"),
	VALUE_ROW(0, "history-size", BYTES, "SIZE", monitor_config, monitor.history_bytes,
		"size at which the oldest part of the history is removed (64M)", .min = 1u << 20,
		.max = 1ull << 40),
	VALUE_ROW(0, "sample", DURATION, "TIME", monitor_config, monitor.sample_ns,
		"time between two samples of agents (2s)", .min = 100 * NS_PER_MS,
		.max = 60 * NS_PER_S),
};

static const struct option settings_rows[] = {
	VALUE_ROW(0, "config", TEXT, "FILE", monitor_config, file,
		"settings, lines of NAME = VALUE (default: ~/.config/sooth/monitor.conf)"),
	FLAG_ROW(0, "check", monitor_config, is_check, "only say whether the settings are right"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Monitor", monitor_rows, 0),
	OPTION_GROUP("History", history_rows, 0),
	OPTION_GROUP("Metrics", metrics_rows, 0),
	OPTION_GROUP("Collector", otlp_rows, 0),
	OPTION_GROUP("Metrics in a file", textfile_rows, 0),
	OPTION_GROUP("Alerts", alert_rows, 0),
	OPTION_GROUP("Control", control_rows, 0),
	OPTION_GROUP("Settings", settings_rows, 0),
	TARGET_LIVE_GROUP(struct monitor_config, target),
};

static const struct option_rule rules[] = {
	{ OPTION_NEEDS, "listen-token", "listen", "it protects what --listen serves",
		"add --listen 127.0.0.1:9400" },
	{ OPTION_NEEDS, "listen-tls", "listen", "it protects what --listen serves",
		"add --listen 127.0.0.1:9400" },
	{ OPTION_NEEDS, "hash-names", "listen,textfile,otlp", "it is about metrics and traces",
		"add --listen 127.0.0.1:9400" },
	{ OPTION_NEEDS, "api-metrics", "listen,textfile,otlp", "it is about metrics",
		"add --listen 127.0.0.1:9400" },
	{ OPTION_NEEDS, "max-sessions", "listen,textfile,otlp", "it is about metrics",
		"add --listen 127.0.0.1:9400" },
	{ OPTION_NEEDS, "otlp-headers", "otlp", "it is about the collector",
		"add --otlp http://127.0.0.1:4318" },
	{ OPTION_NEEDS, "otlp-encoding", "otlp", "it is about the collector",
		"add --otlp http://127.0.0.1:4318" },
	{ OPTION_NEEDS, "otlp-gzip", "otlp", "it is about the collector",
		"add --otlp http://127.0.0.1:4318" },
	{ OPTION_NEEDS, "otlp-insecure", "otlp", "it is about the collector",
		"add --otlp http://HOST:4318" },
	{ OPTION_NEEDS, "alert-on", "on-alert", "it chooses alerts for a program",
		"add --on-alert PROGRAM" },
};
#define SETTINGS_GROUPS 4 /* the first groups: options that a file may set */

/* --- settings: the file, and what was typed --- */

struct monitor_settings {
	const struct monitor_config *typed;
	const struct arguments *arguments;
	struct monitor_config config; /* settings of the file and of the command line */
	struct settings settings, before;
	struct buffer path;
	bool is_read; /* the file exists and was read */
	struct name_key names;
};

#define CONFIG_BYTES (64u << 10)

static void print_wrong(void *user, const struct sooth_error *err)
{
	(void)user;
	command_print_error(err);
}

/* Prints each wrong line, for --check. */
static const struct settings_errors print_errors = { .take = print_wrong };

/* Reads the settings. A missing file is no error, unless the user named it. */
static int read_settings(struct monitor_settings *s, struct sooth_error *err)
{
	const char *named = s->typed->file;
	struct settings fresh = { .help = "sooth help monitor" };
	struct monitor_config config = { 0 };
	struct config_file file = { 0 };
	int status;

	if (named) {
		buffer_string(&file.path, named);
		status = config_read(&file.text, named, CONFIG_BYTES, NULL, err);
		file.is_there = !status;
		if (status == -EPERM)
			error_remedy(err, "copy it into a folder of root: sooth monitor --config "
					  "/root/monitor.conf");
	} else {
		status = config_file_read(&file, "monitor.conf", CONFIG_BYTES, err);
	}
	buffer_fini(&s->path);
	s->path = file.path;
	s->is_read = file.is_there;
	if (!status)
		status = settings_parse(&fresh, buffer_cstr(&s->path),
			span_of((const char *)file.text.data, file.text.size), groups,
			SETTINGS_GROUPS, &config, s->typed->is_check ? &print_errors : NULL, err);
	buffer_fini(&file.text);
	if (status) {
		settings_fini(&fresh);
		return status;
	}
	settings_override(groups, SETTINGS_GROUPS, &config, s->typed, s->arguments);
	/* The monitor uses the earlier settings until it has taken these. */
	settings_fini(&s->before);
	s->before = s->settings;
	s->settings = fresh;
	s->config = config;
	return 0;
}

static int choose_alerts(
	struct alert_options *alerts, const struct monitor_config *c, struct sooth_error *err)
{
	*alerts = (struct alert_options){ .on.severity = 1, .command = c->alerts.command };
	return c->alerts.on.count ? alert_choose_findings(&alerts->on, &c->alerts.on, err) : 0;
}

static void fill_options(struct monitor_options *o, const struct monitor_settings *s)
{
	const struct monitor_config *c = &s->config;

	o->fifo_folder = c->monitor.fifo_dir;
	o->duration_ns = c->monitor.duration_ns;
	o->buffer_bytes = c->monitor.buffer_bytes;
	o->has_history = !c->monitor.no_history;
	o->history_folder = c->monitor.history_dir;
	o->max_overhead_percent = c->monitor.max_overhead_percent ?: RUN_OVERHEAD_PERCENT;
	o->history_bytes = c->monitor.history_bytes;
	o->sample_ns = c->monitor.sample_ns;
	o->metrics.http = (struct http_options){
		.address = c->metrics.listen, .token_file = c->metrics.token, .tls = c->metrics.tls
	};
	o->metrics.names = c->hash_names ? &s->names : NULL;
	o->metrics.is_pushed = c->otlp.url != NULL;
	o->metrics.has_probes = c->metrics.has_probes;
	o->metrics.sessions_most = (uint32_t)c->metrics.sessions_most;
	o->otlp = (struct otlp_push_options){ .url = c->otlp.url,
		.headers_file = c->otlp.headers,
		.is_json = c->otlp.encoding && !strcmp(c->otlp.encoding, "json"),
		.is_packed = c->otlp.is_packed,
		.names = o->metrics.names,
		.is_insecure = c->otlp.is_insecure };
}

static int reload_settings(void *user, struct monitor_options *options, struct sooth_error *err)
{
	struct monitor_settings *s = user;
	int status = read_settings(s, err);

	if (!status)
		fill_options(options, s);
	return status;
}

static void undo_reload(void *user)
{
	struct monitor_settings *s = user;

	settings_fini(&s->settings);
	s->settings = s->before;
	s->before = (struct settings){ 0 };
}

/* Checks what settings_parse() takes as any text: addresses, URLs, and their files. */
static int check_connections(const struct monitor_settings *s, struct sooth_error *err)
{
	struct monitor_options o = { 0 };
	struct otlp_push push;
	int status = 0;

	fill_options(&o, s);
	if (o.metrics.http.address)
		status = http_server_check(&o.metrics.http, err);
	if (!status)
		status = otlp_push_open(&push, &o.otlp, err);
	if (!status)
		otlp_push_close(&push);
	return status;
}

static int print_check(struct monitor_settings *s, struct sooth_error *err)
{
	int status = check_connections(s, err);

	if (status)
		return status;
	if (s->is_read)
		printf("%s: %zu settings, all right\n", buffer_cstr(&s->path), s->settings.count);
	else
		printf("no settings: there is no %s\n", buffer_cstr(&s->path));
	return 0;
}

static int monitor_target(struct monitor_settings *s, struct sooth_error *err)
{
	const struct monitor_config *c = s->typed;
	struct target_found found = { 0 };
	struct alert_options alerts;
	bool has_target = target_is_given(&c->target, s->arguments);
	struct monitor_options options = { .target = has_target ? &found : NULL,
		.reload = s->is_read ? reload_settings : NULL,
		.undo_reload = undo_reload,
		.user = s,
		.alerts = c->alerts.command ? &alerts : NULL,
		.control = c->control };
	int status = choose_alerts(&alerts, c, err);

	if (!status && has_target)
		status = target_find(&c->target, s->arguments, TARGET_MAY_BE_HOST, &found, err);
	if (!status)
		status = target_found_identify(&found, err);
	if (!status && s->config.hash_names)
		status = name_key_read(&s->names, s->config.hash_names, err);
	fill_options(&options, s);
	options.metrics.file = c->metrics.textfile;
	if (!status)
		status = monitor_run(&options, err);
	target_found_fini(&found);
	return status;
}

static int run_monitor(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct monitor_settings s = { .typed = config, .arguments = arguments };
	int status = read_settings(&s, err);

	if (!status)
		status = s.typed->is_check ? print_check(&s, err) : monitor_target(&s, err);
	forget_bytes(&s.names, sizeof(s.names));
	settings_fini(&s.settings);
	settings_fini(&s.before);
	buffer_fini(&s.path);
	return status;
}

static const char *const line_views[] = { "syscall-stream", "sched-stream", "api-calls", NULL };

const struct command command_monitor = {
	.main_options = "fifo-dir,duration,listen,textfile,otlp,on-alert,pid,session,agent,all",
	.lines = monitor_line_tables,
	.line_views = line_views,
	.tables = monitor_report_tables,
	.name = "monitor",
	.summary = "system calls, scheduling and API calls of agents, into FIFOs",
	.usage = "[--fifo-dir DIR] [-d TIME] [PID|NAME...]",
	.about = "Serves three FIFOs in ~/.claude/fifos: syscalls.fifo, scheduler.fifo and "
		 "api_calls.fifo. Each\ncarries a record a line, as JSON with a number, while a "
		 "program reads it, and the probes behind\nit are attached only then. Without a "
		 "target every agent is observed, also those that start later.\nA FIFO serves one "
		 "reader at a time.",
	.examples = "  sooth monitor &\n"
		    "  tail -f ~/.claude/fifos/*.fifo            all three\n"
		    "  tail -f ~/.claude/fifos/api_calls.fifo    API calls\n"
		    "  sooth monitor --session 4f1c              of one session\n"
		    "  sooth monitor --all                       of every process\n"
		    "  sooth monitor --otlp http://127.0.0.1:4318   traces, logs, metrics\n"
		    "  sooth monitor --check                     are its settings right?\n"
		    "  sooth monitor --listen 127.0.0.1:9400     metrics for Prometheus\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct monitor_config),
	.run = run_monitor,
};
