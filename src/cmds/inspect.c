/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth inspect: shows everything about one process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/sockets/sockets.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "cli/command/command.h"
#include "cli/config/labels.h"
#include "cli/resolve.h"
#include "cli/run.h"

#define INTERVAL_NS (200 * NS_PER_MS) /* over which the CPU use of threads is measured */
#define RESOLVE_MS  3000	      /* timeout for all names together */
#define AT_ONCE_NS  1		      /* a single sample needs no interval */

struct inspect_config {
	struct target_options target;
	struct output_options output;
	struct {
		bool fds, sockets, maps, signals, threads, limits, env_names;
		bool all;
		bool resolve;
		uint64_t interval_ns;
	} inspect;
};

static const struct option inspect_options[] = {
	FLAG_ROW(0, "fds", inspect_config, inspect.fds,
		"list file descriptors: type, target, process at the other end"),
	FLAG_ROW(0, "sockets", inspect_config, inspect.sockets,
		"list sockets: state, send and receive queues, times, label of the peer"),
	FLAG_ROW(0, "maps", inspect_config, inspect.maps,
		"show memory by kind (heap, stack, file...), and list each mapping"),
	FLAG_ROW(0, "signals", inspect_config, inspect.signals,
		"show which signals are pending, blocked, ignored or caught"),
	FLAG_ROW(0, "threads", inspect_config, inspect.threads,
		"list threads: CPU use, and what each thread waits for"),
	FLAG_ROW(0, "limits", inspect_config, inspect.limits,
		"show resource limits, control groups, and pressure (PSI)"),
	FLAG_ROW(0, "env-names", inspect_config, inspect.env_names,
		"list the names of environment variables, without their values"),
	FLAG_ROW('a', "all", inspect_config, inspect.all, "show all of the details above"),
	FLAG_ROW(0, "resolve", inspect_config, inspect.resolve,
		"show host names (reverse DNS) of peers that sooth has no name for"),
	VALUE_ROW('i', "interval", DURATION, "TIME", inspect_config, inspect.interval_ns,
		"time over which CPU use is measured (default: 200ms)", .min = NS_PER_MS,
		.max = 3600 * NS_PER_S),
};

static const struct option_group groups[] = {
	OPTION_GROUP("Details", inspect_options, 0),
	TARGET_SOME_GROUP(struct inspect_config, target),
	OUTPUT_GROUP(struct inspect_config, output),
	FILE_GROUP(struct inspect_config, output),
	SAVE_GROUP(struct inspect_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("interval"),
};

/* A detail: a probe and the view of the same name. */
struct detail {
	const char *name;
	size_t flag; /* offset of its flag in the config */
};

static const struct detail details[] = {
	{ "fds", offsetof(struct inspect_config, inspect.fds) },
	{ "sockets", offsetof(struct inspect_config, inspect.sockets) },
	{ "maps", offsetof(struct inspect_config, inspect.maps) },
	{ "threads", offsetof(struct inspect_config, inspect.threads) },
	{ "signals", offsetof(struct inspect_config, inspect.signals) },
	{ "limits", offsetof(struct inspect_config, inspect.limits) },
	{ "environment", offsetof(struct inspect_config, inspect.env_names) },
};

/* The probes of the summary screen. */
static const struct run_probe summary_probes[] = {
	{ "proc", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_TRANSCRIPT },
	{ "fds", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
	{ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
	{ "maps", SOOTH_SAMPLE | SOOTH_BRIEF | SOOTH_DETAIL },
	{ "threads", SOOTH_SAMPLE | SOOTH_BRIEF },
	{ "signals", SOOTH_SAMPLE | SOOTH_BRIEF },
	{ "limits", SOOTH_SAMPLE | SOOTH_BRIEF },
	{ "waits", SOOTH_SAMPLE | SOOTH_BRIEF },
};

static bool is_requested(const struct inspect_config *c, const struct detail *detail)
{
	return c->inspect.all || *(const bool *)((const char *)c + detail->flag);
}

/* Chooses the requested details; without any, the summary screen. */
static void choose_details(
	const struct inspect_config *c, const struct sockets_options *labels, struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
		if (!is_requested(c, &details[i]))
			continue;
		run->probes[count] =
			(struct run_probe){ details[i].name, SOOTH_SAMPLE | SOOTH_DETAIL };
		run->views[count].name = details[i].name;
		if (!strcmp(details[i].name, "sockets"))
			run->views[count].options = labels;
		count++;
	}
	/* The table of descriptors needs to know which sockets listen. */
	if (c->inspect.fds && !c->inspect.sockets && !c->inspect.all)
		run->probes[count] = (struct run_probe){ "sockets", SOOTH_SAMPLE | SOOTH_BRIEF };
	/* With all details the capture has the summary screen too. */
	if (c->inspect.all) {
		run->probes[count] = (struct run_probe){ "proc", SOOTH_SAMPLE };
		run->probes[count + 1] = (struct run_probe){ "waits", SOOTH_SAMPLE };
	}
	if (count)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(summary_probes); i++)
		run->probes[i] = summary_probes[i];
	run->views[0] = (struct run_view){ "inspect", labels };
	run->allowed = TARGET_IS_HOST; /* the processes around an agent show what it does */
}

/* Returns whether a detail is among the probes; without options the summary screen has all
 * details. */
static bool has_detail(const struct run *run, const char *name)
{
	bool is_found = !strcmp(run->views[0].name, "inspect");

	for (size_t i = 0; run->views[i].name && !is_found; i++)
		is_found = !strcmp(run->views[i].name, name);
	return is_found;
}

static int check_options(
	const struct inspect_config *c, const struct run *run, struct sooth_error *err)
{
	bool is_vain = c->inspect.interval_ns && !has_detail(run, "threads");

	if (!is_vain && !(c->inspect.resolve && !has_detail(run, "sockets")))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use %s here",
		is_vain ? "--interval" : "--resolve");
	error_why(
		err, is_vain ? "--interval sets the time over which the CPU use of threads is "
			       "measured, and --threads is missing"
			     : "--resolve looks up the peers of sockets, and --sockets is missing");
	return error_remedy(
		err, "add %s, or leave out the option", is_vain ? "--threads" : "--sockets");
}

static int run_inspect(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct inspect_config *c = config;
	struct labels labels = { 0 };
	struct sockets_options options;
	struct run run = {
		.name = "inspect",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
	};
	struct resolver *resolver = NULL;
	int status = labels_read(&labels, err);

	if (!status && c->inspect.resolve)
		status = resolver_new(&resolver, RESOLVE_MS, err);
	options = (struct sockets_options){ .labels = (const char *)labels.rules.data,
		.labels_size = labels.rules.size,
		.labels_name = buffer_cstr(&labels.path),
		.hosts = (const char *)labels.hosts.data,
		.hosts_size = labels.hosts.size,
		.resolve = resolver ? resolver_name : NULL,
		.user = resolver };
	choose_details(c, &options, &run);
	if (!status)
		status = check_options(c, &run, err);
	/* CPU use is the difference between two samples. */
	run.options.duration_ns = !has_detail(&run, "threads") ? AT_ONCE_NS
				  : c->inspect.interval_ns     ? c->inspect.interval_ns
							       : INTERVAL_NS;
	if (!status)
		status = run_report(&run, err);
	if (resolver && resolver_unanswered(resolver))
		fprintf(stderr, "sooth: %u addresses were not resolved in time\n",
			resolver_unanswered(resolver));
	resolver_free(resolver);
	labels_fini(&labels);
	return status;
}

const struct command command_inspect = {
	.main_options = "fds,sockets,maps,signals,threads,limits,env-names,all,resolve,json",
	.name = "inspect",
	.summary = "everything about one process",
	.usage = "[--fds] [--sockets] [--maps] [--signals] [--threads] [--limits] [--env-names]\n"
		 "                     [-j] PID | FILE.sooth",
	.about = "Shows what one process has open, mapped and connected, its pending signals and "
		 "its limits.",
	.examples = "  sooth inspect 4711               one screen\n"
		    "  sooth inspect --fds 4711         every descriptor\n"
		    "  sooth inspect -a -j 4711         everything, as JSON\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct inspect_config),
	.run = run_inspect,
};
