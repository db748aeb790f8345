/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/chrome_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TIME_SIZE 32

void chrome_begin(struct chrome_events *e)
{
	buffer_string(&e->bytes, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
}

/* Microseconds; as text, because a double has not room for all digits. */
static void put_time(struct chrome_events *e, const char *key, uint64_t ns)
{
	char text[TIME_SIZE];
	int size =
		snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));

	json_key(&e->json, key);
	json_written(&e->json, text, (size_t)size);
}

void chrome_event(struct chrome_events *e, char phase, const char *name, size_t size,
	const struct sooth_record *r, uint64_t time_ns)
{
	buffer_string(&e->bytes, e->has_events ? ",\n" : "\n");
	e->has_events = true;
	e->has_arguments = false;
	json_init(&e->json, &e->bytes, 0);
	json_begin_object(&e->json);
	json_key(&e->json, "name");
	json_string(&e->json, name, size);
	json_key(&e->json, "ph");
	json_string(&e->json, &phase, 1);
	put_time(e, "ts", time_ns);
	chrome_number(e, "pid", r->pid);
	chrome_number(e, "tid", r->tid ? r->tid : r->pid);
}

void chrome_duration(struct chrome_events *e, uint64_t ns)
{
	put_time(e, "dur", ns);
}

void chrome_text(struct chrome_events *e, const char *key, const char *text, size_t size)
{
	json_key(&e->json, key);
	json_string(&e->json, text, size);
}

void chrome_arguments(struct chrome_events *e)
{
	json_key(&e->json, "args");
	json_begin_object(&e->json);
	e->has_arguments = true;
}

void chrome_number(struct chrome_events *e, const char *key, uint64_t value)
{
	json_key(&e->json, key);
	json_u64(&e->json, value);
}

void chrome_flag(struct chrome_events *e, const char *key)
{
	json_key(&e->json, key);
	json_bool(&e->json, true);
}

void chrome_end(struct chrome_events *e)
{
	if (e->has_arguments)
		json_end(&e->json);
	json_end(&e->json);
}

void chrome_span(struct chrome_events *e, char phase, const struct sooth_record *r, uint64_t ns)
{
	char id[48];
	int size = snprintf(id, sizeof(id), "%" PRIu32 "-%" PRIu64, r->pid, r->start_ticks);

	chrome_event(e, phase, "process", strlen("process"), r, ns);
	chrome_text(e, "cat", "process", strlen("process"));
	chrome_text(e, "id", id, (size_t)size);
}

void chrome_mark(struct chrome_events *e, const char *name, const char *category,
	const struct sooth_record *r, uint64_t ns)
{
	chrome_event(e, 'i', name, strlen(name), r, ns);
	chrome_text(e, "cat", category, strlen(category));
	chrome_text(e, "s", "p", 1);
}

void chrome_name(
	struct chrome_events *e, const char *what, uint32_t pid, uint32_t tid, const char *name)
{
	struct sooth_record r = { .pid = pid, .tid = tid };

	chrome_event(e, 'M', what, strlen(what), &r, 0);
	chrome_arguments(e);
	chrome_text(e, "name", name, strlen(name));
	chrome_end(e);
}

void chrome_finish(struct chrome_events *e, uint64_t refused)
{
	buffer_string(&e->bytes, "\n],\"otherData\":{\"clock\":\"CLOCK_MONOTONIC\"");
	if (refused)
		buffer_format(&e->bytes, ",\"names_and_lives_left_out\":%" PRIu64, refused);
	buffer_string(&e->bytes, "}}\n");
}

void chrome_fini(struct chrome_events *e)
{
	buffer_fini(&e->bytes);
}
