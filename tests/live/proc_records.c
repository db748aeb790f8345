/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The records that a backend of the probe proc writes, one JSON object a line with the
 * record's kind; for tests of the collecting half alone.
 *
 *   proc_records [--backend NAME] [--brief] [--samples N] [--quiet] [PID...]
 *
 * Without pids: of the host. Of several samples the last is written; what opening and each
 * of them took goes to standard error, and --quiet writes no more than that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "model/probe.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"
#include "probes/proc.h"
#include "sinks/json_members.h"

struct settings {
	const char *backend;
	unsigned interest, samples;
	bool is_quiet;
	char **pids;
};

/* With that of the processes that make calls which may not return (os/linux/files/timeout.h). */
static uint64_t cpu_ns(void)
{
	struct rusage own, children;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	return (uint64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec +
			  children.ru_stime.tv_sec) *
		       NS_PER_S +
	       (uint64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec +
			  children.ru_stime.tv_usec) *
		       NS_PER_US;
}

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "%s: %s\n", err->tried, err->why);
	return 1;
}

static void print_records(const struct buffer *records)
{
	struct batch batch = { records->data, records->size };
	struct buffer text = { 0 };
	struct json json;

	batch_for_each (record, &batch) {
		const struct sooth_schema *schema = registry_schema(record->kind);

		json_init(&json, &text, 0);
		json_begin_object(&json);
		json_key(&json, "kind");
		json_cstring(&json, schema ? schema->name : "?");
		if (schema)
			json_members(&json, schema, record);
		json_end(&json);
		buffer_char(&text, '\n');
	}
	fwrite(text.data, 1, text.size, stdout);
	buffer_fini(&text);
}

static int take_samples(struct backend_run *run, const struct settings *s)
{
	struct sooth_error err = { 0 };

	for (unsigned i = 0; i < s->samples; i++) {
		uint64_t wall = clock_monotonic_ns(), cpu = cpu_ns();

		buffer_reset(&run->out);
		if (i ? run->backend->sample(run, &err) : run->backend->start(run, &err))
			return fail(&err);
		fprintf(stderr, "sample %u: %.3f ms, %.3f ms of CPU, %zu bytes\n", i,
			(double)(clock_monotonic_ns() - wall) / NS_PER_MS,
			(double)(cpu_ns() - cpu) / NS_PER_MS, run->out.size);
	}
	if (!s->is_quiet)
		print_records(&run->out);
	return 0;
}

static int observe(const struct backend *backend, const struct settings *s)
{
	struct log log = { 0 };
	struct backend_run run = { .backend = backend,
		.os = &os_native,
		.log = &log,
		.options = { .interest = s->interest, .is_host = !*s->pids } };
	uint64_t wall = clock_monotonic_ns(), cpu = cpu_ns();
	struct sooth_error err = { 0 };
	int status = 0;

	if (backend_test_needs(backend, &os_native, &err))
		return fail(&err);
	run.state = calloc(1, backend->state_size);
	if (!run.state || backend->open(&run, &err))
		return fail(&err);
	fprintf(stderr, "open: %.3f ms, %.3f ms of CPU\n",
		(double)(clock_monotonic_ns() - wall) / NS_PER_MS,
		(double)(cpu_ns() - cpu) / NS_PER_MS);
	for (char **pid = s->pids; *pid && !status; pid++) {
		struct process_id id;

		status = procfs_identify(atoi(*pid), &id);
		if (!status)
			status = backend->set(&run, &id, s->interest, &err);
	}
	if (!status)
		status = take_samples(&run, s);
	backend->close(&run);
	buffer_fini(&run.out);
	free(run.state);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct settings s = { .backend = "procfs", .interest = INTEREST_SAMPLE, .samples = 1 };
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--brief"))
			s.interest |= INTEREST_BRIEF;
		else if (!strcmp(argv[i], "--quiet"))
			s.is_quiet = true;
		else if (!strcmp(argv[i], "--backend") && i + 1 < argc)
			s.backend = argv[++i];
		else if (!strcmp(argv[i], "--samples") && i + 1 < argc)
			s.samples = (unsigned)atoi(argv[++i]);
		else
			return 2;
	}
	s.pids = argv + i;
	for (size_t k = 0; os_native.backends[k]; k++) {
		const struct backend *backend = os_native.backends[k];

		if (!strcmp(backend->probe, "proc") && !strcmp(backend->name, s.backend))
			return observe(backend, &s);
	}
	fprintf(stderr, "no backend %s of proc\n", s.backend);
	return 2;
}
