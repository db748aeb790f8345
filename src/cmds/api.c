/* SPDX-License-Identifier: BSD-2-Clause */
/* sooth api: shows API calls of a target as far as system calls show them. */
#include "analyze/api/api_calls.h"
#include "analyze/sockets/sockets.h"
#include "base/units.h"
#include "cli/config/labels.h"
#include "cli/command/command.h"
#include "cli/run.h"

struct api_config {
	struct target_options target;
	struct output_options output;
	struct run_options run;
	struct {
		const char *endpoint;
		bool events;
	} api;
};

static const struct option api_options[] = {
	VALUE_ROW('e', "endpoint", TEXT, "TEXT", api_config, api.endpoint,
		"show only calls to servers with TEXT in their name, address or label"),
	FLAG_ROW(0, "events", api_config, api.events,
		"print a line for each request and each first byte, too, when it happens"),
};

static const struct option_group groups[] = {
	OPTION_GROUP("API calls", api_options, 0),
	TARGET_GROUP(struct api_config, target),
	RUN_GROUP(struct api_config, run),
	OUTPUT_GROUP(struct api_config, output),
	FILE_GROUP(struct api_config, output),
	SAVE_GROUP(struct api_config, output),
};

static const struct option_rule rules[] = {
	OPTION_OVER("duration"),
	OPTION_OVER("buffer"),
	OPTION_OVER("control"),
};

static int run_api(void *config, const struct arguments *arguments, struct sooth_error *err)
{
	struct api_config *c = config;
	struct labels labels = { 0 };
	struct sockets_options peers;
	struct api_calls_options options = {
		.with_events = c->api.events, .endpoint = c->api.endpoint, .labels = &peers
	};
	struct run run = {
		.name = "api",
		.target = &c->target,
		.output = &c->output,
		.arguments = arguments,
		.probes = { { "syscalls", SOOTH_STREAM }, { "proc", SOOTH_SAMPLE | SOOTH_ONCE },
			{ "fds", SOOTH_SAMPLE | SOOTH_ONCE }, { "sockets", SOOTH_SAMPLE } },
		.views = { { "api-calls", &options } },
		.allowed = TARGET_MAY_BE_COMMAND,
		.options = c->run,
		.observer.sample_ns = NS_PER_S,
		.observer.calls = api_calls_alone,
		.is_stream = true,
	};
	int status = labels_read(&labels, err);

	labels_options(&labels, &peers);
	if (!status)
		status = run_report(&run, err);
	labels_fini(&labels);
	return status;
}

const struct command command_api = {
	.main_options = "endpoint,events,duration,all,json,filter,save",
	.name = "api",
	.summary = "API calls of a process, seen from outside",
	.usage = "[--events] [-e TEXT] [-j] [-d TIME] PID|NAME... | FILE.sooth | -- COMMAND "
		 "[ARG...]",
	.about = "Prints each request that a process makes to a server, and what became of it: the "
		 "server,\nwhen the request began, its bytes, the first byte of the answer, the "
		 "longest gap, the end.\nNothing is decrypted: of TLS connections the server's "
		 "name, sizes and times are seen, of\nplain HTTP also method, path without its "
		 "query, and status. Headers and bodies are never\nread. HTTP/2 moves several "
		 "calls at a time over one connection: then the connection is\nreported, not each "
		 "call. Children are followed.",
	.examples = "  sooth api 4711                      calls of a process as they end\n"
		    "  sooth api --events --session 4f1c   also when they begin\n"
		    "  sooth api -e anthropic --all        of every process, to one service\n"
		    "  sooth api -j -d 60 4711             a minute as JSON lines\n"
		    "  sooth api --save api.sooth 4711     and again later: sooth api api.sooth\n",
	COMMAND_GROUPS(groups),
	OPTION_RULES(rules),
	.config_size = sizeof(struct api_config),
	.run = run_api,
};
