/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings of some processes, using only the public headers: a line for each finding that
 * comes or goes, the figures it rests on below it. Live for some seconds, or of a capture. Ends
 * with 1 when something was found, so that a script can ask.
 *
 *   cc findings.c $(pkg-config --cflags --libs sooth) -o findings
 *   ./findings SECONDS PID...      or      ./findings FILE.sooth
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#define FOUND 1

/* Probes that detectors read; more probes, more findings: `sooth diagnose --list-findings`. */
static const char *const probes[] = { "proc", "threads", "fds", "sockets", "maps", "limits",
	"host" };

/* The figures: rows within the row. */
static void print_evidence(const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *evidence = sooth_schema_field(schema, "evidence");
	const struct sooth_record *one = NULL;
	struct sooth_value rows;
	char name[80], text[160];

	if (!evidence)
		return;
	rows = sooth_field_get(evidence, row);
	while ((one = sooth_rows_next(&rows, one))) {
		const struct sooth_field *named = sooth_schema_field(evidence->rows, "name");
		const struct sooth_field *told = sooth_schema_field(evidence->rows, "text");

		if (!named || !told)
			return;
		sooth_field_text(named, one, name, sizeof(name));
		sooth_field_text(told, one, text, sizeof(text));
		printf("\t%s: %s\n", name, text);
	}
}

static int print_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	static const char *const shown[] = { "state", "severity", "id", "pid", "claim" };
	const struct sooth_field *state = sooth_schema_field(schema, "state");
	int *found = user;
	char text[512];

	if (strcmp(section, "finding") || !state)
		return 0; /* what was lost, and what the observation was: see the notes of a report
			   */
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct sooth_field *field = sooth_schema_field(schema, shown[i]);

		/* Escaped: names and paths in it are a target's. */
		if (field)
			sooth_field_text(field, row, text, sizeof(text));
		printf("%s%s", i ? " " : "", field ? text : "?");
	}
	printf("\n");
	print_evidence(schema, row);
	*found = FOUND;
	return 0;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static int watch(struct sooth_observer *o, struct sooth_report *r, int seconds, char **pids,
	struct sooth_error *err)
{
	struct timespec begin;
	int status = 0;

	for (; *pids && !status; pids++)
		status = sooth_observer_add_pid(o, atoi(*pids), err);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]) && !status; i++)
		status = sooth_observer_add_probe(o, probes[i], SOOTH_SAMPLE, err);
	if (!status)
		status = sooth_observer_connect_report(o, r, err);
	if (!status)
		status = sooth_observer_start(o, err);
	if (status)
		return status;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		status = sooth_observer_step(o, 100, err);
	while ((status > 0 || status == -EINTR) && seconds_since(&begin) < seconds);
	return status < 0 && status != -EINTR ? status
					      : sooth_observer_stop(o, SOOTH_END_DURATION, err);
}

int main(int argc, char **argv)
{
	/* Between the samples at start and end what grows is seen as growing. */
	struct sooth_observer_options options = { .size = sizeof(options),
		.sample_ns = 500 * 1000000ULL };
	struct sooth_observer *observer = NULL;
	struct sooth_report *report = NULL;
	struct sooth_error err = { 0 };
	int status, found = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: findings SECONDS PID... | FILE.sooth\n");
		return 2;
	}
	status = sooth_report_new(&report, "findings", &err);
	if (!status)
		status = sooth_report_add_view(report, "finding-changes", NULL, &err);
	if (!status)
		status = sooth_report_on_row(report, print_row, &found, &err);
	if (!status && argc == 2)
		status = sooth_report_read(report, argv[1], &err);
	else if (!status && !(status = sooth_observer_new(&observer, &options, &err)))
		status = watch(observer, report, atoi(argv[1]), argv + 2, &err);
	if (!status)
		status = sooth_report_finish(report, &err);
	if (status)
		fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
	sooth_observer_free(observer);
	sooth_report_free(report);
	return status ? 2 : found;
}
