/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small `ps` of agents on the public headers alone: one JSON object a line, from this host or,
 * later and elsewhere, from a capture. The rows are those of `sooth ps -j`.
 *
 *   cc agents.c $(pkg-config --cflags --libs sooth) -o agents && ./agents [FILE.sooth]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sooth/observer.h>
#include <sooth/report.h>

#define LOOK_MS 200

static const char *const shown[] = { "pid", "ppid", "agent", "version", "role", "cpu_percent",
	"rss_kb", "elapsed_time", "project", "session_id", "is_orphaned", "command" };

static void print_text(const char *text, size_t size)
{
	putchar('"');
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	putchar('"');
}

/* Arguments stand one behind the other, each ended by NUL. */
static void print_args(const char *args, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		exit(EXIT_FAILURE);
	while (size && !args[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		text[i] = args[i] ? args[i] : ' ';
	print_text(text, size);
	free(text);
}

static void print_value(const struct sooth_field *field, const struct sooth_record *row)
{
	struct sooth_value value = sooth_field_get(field, row);

	if (value.state != SOOTH_STATE_VALUE && value.state != SOOTH_STATE_TRUNCATED)
		printf("null"); /* value.reason says why; it is never a made-up 0 */
	else if (field->type == SOOTH_FIELD_UNSIGNED)
		printf("%llu", (unsigned long long)value.u);
	else if (field->type == SOOTH_FIELD_REAL)
		printf("%.*f", field->decimals, value.f);
	else if (field->type == SOOTH_FIELD_BOOL)
		printf(value.u ? "true" : "false");
	else if (field->type == SOOTH_FIELD_TEXT)
		print_text(value.text.data, value.text.size);
	else if (field->type == SOOTH_FIELD_ARGS)
		print_args(value.text.data, value.text.size);
	else
		printf("null");
}

static int print_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	const char *separator = "{";

	(void)user;
	if (strcmp(section, "processes") ||
		sooth_field_get(sooth_schema_field(schema, "agent"), row).state !=
			SOOTH_STATE_VALUE)
		return 0;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct sooth_field *field = sooth_schema_field(schema, shown[i]);

		printf("%s\"%s\":", separator, shown[i]);
		if (field)
			print_value(field, row);
		else
			printf("null"); /* a later sooth may name it otherwise */
		separator = ",";
	}
	printf("}\n");
	return 0;
}

static int look(struct sooth_observer *o, struct sooth_report *r, struct sooth_error *err)
{
	struct timespec now, end;
	int status;

	if (sooth_observer_set_host(o, err) ||
		sooth_observer_add_probe(o, "proc", SOOTH_SAMPLE | SOOTH_BRIEF, err) ||
		sooth_observer_connect_report(o, r, err) || sooth_observer_start(o, err))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += LOOK_MS * 1000000L; /* CPU is measured over that time */
	do {
		status = sooth_observer_step(o, 20, err);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (
		status > 0 && (now.tv_sec - end.tv_sec) * 1000000000LL + now.tv_nsec < end.tv_nsec);
	return status < 0 ? status : sooth_observer_stop(o, SOOTH_END_DURATION, err);
}

int main(int argc, char **argv)
{
	struct sooth_observer *observer = NULL;
	struct sooth_report *report = NULL;
	struct sooth_error err = { 0 };
	int status = sooth_report_new(&report, "agents", &err);

	if (!status)
		status = sooth_report_add_view(report, "processes", NULL, &err);
	if (!status)
		status = sooth_report_on_row(report, print_row, NULL, &err);
	if (!status && argc > 1)
		status = sooth_report_read(report, argv[1], &err);
	else if (!status && !(status = sooth_observer_new(&observer, NULL, &err)))
		status = look(observer, report, &err);
	if (!status)
		status = sooth_report_finish(report, &err);
	if (status)
		fprintf(stderr, "cannot %s: %s\n%s\n", err.tried, err.why, err.remedy);
	sooth_observer_free(observer);
	sooth_report_free(report);
	return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
