/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth record: records now, to explain later. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "cli/command/command.h"
#include "cli/run.h"
#include "model/probe.h"

struct record_config {
	struct target_options target;
	struct run_options run;
	struct debug_servers servers;
	struct {
		struct option_list probes;
		const char *output;
		uint64_t sample_ns;
		bool stream;
		bool detail;
		bool lossless;
	} record;
};

static const struct option record_options[] = {
	VALUE_ROW('o', "output", FILE, "FILE.sooth", record_config, record.output,
		"capture file; - for stdout"),
	VALUE_ROW('P', "probe", LIST, "NAME[,NAME...]", record_config, record.probes,
		"probes to record (default: proc,context,syscalls)"),
	FLAG_ROW(0, "stream", record_config, record.stream, "record every event, not only counts"),
	FLAG_ROW(0, "detail", record_config, record.detail,
		"also sample details that take longer (fds, sockets, maps, threads, signals)"),
	FLAG_ROW(0, "lossless", record_config, record.lossless,
		"with --stream: pause the target while the buffer is full (probe heap: only -- "
		"COMMAND)"),
	VALUE_ROW(0, "sample", DURATION, "TIME", record_config, record.sample_ns,
		"time between two samples (default: 1s)", .min = 10 * NS_PER_MS,
		.max = 3600 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Recording", record_options, 0),
	TARGET_LIVE_GROUP(struct record_config, target),
	RUN_GROUP(struct record_config, run),
	DEBUG_SERVERS_GROUP(struct record_config, servers),
};

static const struct option_rule rules[] = {
	DEBUG_SERVERS_RULES,
	{ OPTION_NEEDS, "lossless", "stream",
		"without --stream the kernel only counts the calls, and counts are never lost",
		NULL },
};

/* Returns the interest for a probe: counts cost less than a stream; states are samples; some probes
 * have only a stream. */
static unsigned interest_of(const struct record_config *c, const struct probe *probe)
{
	bool has_less = probe->offers & (INTEREST_COUNT | INTEREST_SAMPLE);

	if ((c->record.stream || !has_less) && probe->offers & INTEREST_STREAM)
		return SOOTH_STREAM | probe->beside_stream;
	if (probe->offers & INTEREST_COUNT)
		return SOOTH_COUNT;
	return SOOTH_SAMPLE | probe->beside_sample |
	       (c->record.detail ? probe->offers & INTEREST_DETAIL : 0);
}

static int choose_probes(struct record_config *c, struct run *run, struct sooth_error *err)
{
	static const char *const defaults[] = { "proc", "context", "syscalls" };
	const struct option_list *list = &c->record.probes;
	const char *const *names = list->count ? list->items : defaults;
	size_t count = list->count ? list->count : 3;

	if (count >= RUN_PROBES_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "record more than %d probes",
			RUN_PROBES_MAX - 1);
	for (size_t i = 0; i < count; i++) {
		const struct probe *probe = registry_probe(names[i]);

		if (!probe) {
			error_set(err, -ENOENT, SOOTH_FAULT_USAGE, "record \"%s\"", names[i]);
			error_why(err, "no probe has this name");
			return error_remedy(err, "`sooth doctor` lists the probes");
		}
		run->probes[i] = (struct run_probe){ probe->name, interest_of(c, probe) };
	}
	return 0;
}

static bool has_probe(const struct run *run, const char *name)
{
	for (size_t i = 0; run->probes[i].name; i++) {
		if (!strcmp(run->probes[i].name, name))
			return true;
	}
	return false;
}

static int check_lossless(
	const struct record_config *c, const struct run *run, struct sooth_error *err)
{
	if (!c->record.lossless || !has_probe(run, "heap") || !has_probe(run, "syscalls"))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "pause the target for two probes");
	error_why(err, "heap and syscalls each pause it by ptrace, and a process can have one "
		       "tracer only");
	return error_remedy(err, "record heap and syscalls in two runs, or leave out --lossless");
}

/* Prints to standard error: standard output may belong to the capture or to the command. */
static void emit_recorded(const char *path, bool has_totals_only)
{
	struct stat st;
	char size[UNITS_SIZE];

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	fprintf(stderr, "sooth: recorded %s (%s); `sooth report` explains it\n", path,
		format_bytes(size, (uint64_t)st.st_size));
	if (has_totals_only)
		fputs("sooth: it has totals of calls; single calls, with their files and peers, "
		      "need --stream\n",
			stderr);
}

/* Returns whether a probe only counts its events, and does not stream them. */
static bool counts_only(const struct run *run)
{
	for (size_t i = 0; run->probes[i].name; i++) {
		if ((run->probes[i].interest & (SOOTH_COUNT | SOOTH_STREAM)) == SOOTH_COUNT)
			return true;
	}
	return false;
}

static int run_record(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct record_config *c = config;
	struct output_options output = { .save = c->record.output };
	struct run run = {
		.name = "record",
		.target = &c->target,
		.servers = &c->servers,
		.output = &output,
		.arguments = arguments,
		.allowed = TARGET_MAY_BE_COMMAND,
		.is_silent = true,
		.options = c->run,
		.observer.heap.may_pause = c->record.stream && c->record.lossless,
		.observer.calls.must_hold = c->record.stream && c->record.lossless,
		.observer.sample_ns = c->record.sample_ns ? c->record.sample_ns : NS_PER_S,
	};
	int status;

	if (!c->record.output) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "record without -o");
		error_why(err, "no file name given for the capture");
		return error_remedy(err, "give -o FILE.sooth");
	}
	status = choose_probes(c, &run, err);
	if (!status)
		status = check_lossless(c, &run, err);
	if (!status)
		status = run_report(&run, err);
	if (status >= 0)
		emit_recorded(c->record.output, counts_only(&run));
	return status;
}

const struct command command_record = {
	.main_options = "output,probe,stream,detail,lossless,sample,duration,all",
	.name = "record",
	.summary = "record now, explain later",
	.usage = "[--probe LIST] -o FILE.sooth PID|NAME... | -- COMMAND [ARG...]",
	.about = "Observes a process and writes what happens to a capture file. Every command that "
		 "takes a\n"
		 "target can read the capture later, without privilege and on any system.",
	.examples = "  sooth record -o build.sooth -- make\n"
		    "  sooth record --stream --probe syscalls -o calls.sooth -p 4711 -d 5\n"
		    "  sooth report build.sooth\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct record_config),
	.run = run_record,
};
