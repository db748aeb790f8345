/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workloads: one program which puts itself into one exact state, says "ready" and waits or acts
 * as told, so that tests have a truth to compare with. See README.md for how to add a scenario.
 *
 * It must be built without sanitizers: their runtime makes system calls of its own, and the
 * counts in the truth files would no longer hold.
 */
#include "workload.h"

#include <errno.h>
#include <string.h>

/* Programs with fewer scenarios are built with another list. */
#ifndef SCENARIO_LIST
#define SCENARIO_LIST "scenarios.def"
#endif

#define SCENARIO(name) extern const struct scenario scenario_##name;
#include SCENARIO_LIST
#undef SCENARIO

static const struct scenario *const scenarios[] = {
#define SCENARIO(name) &scenario_##name,
#include SCENARIO_LIST
#undef SCENARIO
};

static struct workload workload = {
	.duration_ns = 10 * NS_PER_SEC,
	.seed = 1,
};

static const struct param common_params[] = {
	{ "hold", NULL, "after \"ready\" wait for a line \"go\" or the end of stdin", PARAM_FLAG,
		&workload.hold, 0, 0 },
	{ "truth", "FILE", "write what is true of this run there", PARAM_TEXT, &workload.truth_path,
		0, 0 },
	{ "seconds", "S", "how long, at most 3600 (10)", PARAM_SECONDS, &workload.duration_ns, 0,
		WORKLOAD_SECONDS_MAX *NS_PER_SEC },
	{ "seed", "N", "seed of whatever is random (1)", PARAM_NUMBER, &workload.seed, 0,
		UINT64_MAX },
	{ 0 },
};

static void list(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		fprintf(out, "  %-14s %s\n", scenarios[i]->name, scenarios[i]->help);
}

static void usage(FILE *out, const struct scenario *s)
{
	fprintf(out, "usage: workloads %s [options]\n       workloads --list\n",
		s ? s->name : "SCENARIO");
	if (s) {
		fprintf(out, "%s: %s\n", s->name, s->help);
		if (s->params)
			param_print(out, s->params);
	} else {
		fputs("scenarios:\n", out);
		list(out);
	}
	fputs("common options:\n", out);
	param_print(out, common_params);
}

static const struct scenario *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		if (!strcmp(scenarios[i]->name, name))
			return scenarios[i];
	return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct scenario *s = argc > 1 ? find(argv[1]) : NULL;
	int err;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list(stdout);
		return EXIT_SUCCESS;
	}
	if (asks_for_help(argc, argv)) {
		usage(stdout, s);
		return EXIT_SUCCESS;
	}
	if (!s || param_parse(common_params, s->params, argc - 2, argv + 2)) {
		if (!s && argc > 1)
			fprintf(stderr, "workloads: no scenario %s\n", argv[1]);
		usage(stderr, s);
		return EXIT_USAGE;
	}

	workload.argc = argc;
	workload.argv = argv;
	err = s->run(&workload);
	if (!err)
		return EXIT_SUCCESS;
	fprintf(stderr, "workloads: %s: %s\n", s->name, strerror(-err));
	return err == -EOPNOTSUPP ? EXIT_SKIP : EXIT_FAILURE;
}
