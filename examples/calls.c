/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest use of the library: watch a process for a while and say how many
 * system calls it made, of how many kinds, and how many failed.
 *
 *   cc calls.c $(pkg-config --cflags --libs sooth) -o calls && ./calls PID [SECONDS]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sooth/observer.h>
#include <sooth/report.h>

struct sums {
	unsigned long long calls, errors, kinds, lost;
};

static unsigned long long number(
	const struct sooth_schema *schema, const char *field, const struct sooth_record *record)
{
	const struct sooth_field *f = sooth_schema_field(schema, field);

	return f ? sooth_field_get(f, record).u : 0;
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct sums *sums = user;

	if (!schema)
		return 0; /* of a kind this version does not know */
	if (!strcmp(schema->name, "syscalls.count")) {
		sums->calls += number(schema, "count", record);
		sums->errors += number(schema, "errors", record);
		sums->kinds++;
	} else if (!strcmp(schema->name, "stream.loss")) {
		sums->lost += number(schema, "records", record);
	}
	return 0;
}

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct sooth_observer *observer = NULL;
	struct sooth_report *report = NULL;
	struct sooth_error err = { 0 };
	struct sums sums = { 0 };
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 1);
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: calls PID [SECONDS]\n");
		return 2;
	}
	if (sooth_report_new(&report, "calls", &err) || sooth_observer_new(&observer, NULL, &err))
		return fail(&err);
	sooth_report_on_record(report, take, &sums);
	if (sooth_observer_add_pid(observer, atoi(argv[1]), &err) ||
		sooth_observer_add_probe(observer, "syscalls", SOOTH_COUNT, &err) ||
		sooth_observer_connect_report(observer, report, &err) ||
		sooth_observer_start(observer, &err))
		return fail(&err);
	do
		status = sooth_observer_step(observer, 100, &err);
	while (status > 0 && time(NULL) < end);
	if (status < 0 || sooth_observer_stop(observer, SOOTH_END_DURATION, &err) ||
		sooth_report_finish(report, &err))
		return fail(&err);
	printf("%llu calls in %llu aggregates, %llu failed, %llu lost\n", sums.calls, sums.kinds,
		sums.errors, sums.lost);
	sooth_observer_free(observer);
	sooth_report_free(report);
	return EXIT_SUCCESS;
}
