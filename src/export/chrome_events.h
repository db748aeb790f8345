/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of Chrome's trace format, one after the other: begin one, add to it, end it. */
#ifndef SOOTH_EXPORT_CHROME_EVENTS_H
#define SOOTH_EXPORT_CHROME_EVENTS_H

#include <sooth/record.h>
#include "base/json.h"

struct chrome_events {
	struct buffer bytes;
	struct json json; /* the event being made */
	bool has_arguments;
	bool has_events;
};

void chrome_begin(struct chrome_events *e);
/* Of the process and thread of a record. */
void chrome_event(struct chrome_events *e, char phase, const char *name, size_t size,
	const struct sooth_record *r, uint64_t time_ns);
void chrome_duration(struct chrome_events *e, uint64_t ns);
void chrome_text(struct chrome_events *e, const char *key, const char *text, size_t size);
/* What is added from here on are its arguments. */
void chrome_arguments(struct chrome_events *e);
void chrome_number(struct chrome_events *e, const char *key, uint64_t value);
void chrome_flag(struct chrome_events *e, const char *key);
void chrome_end(struct chrome_events *e);
/* The life of a process: its begin ('b') or end ('e'); not ended. */
void chrome_span(struct chrome_events *e, char phase, const struct sooth_record *r, uint64_t ns);
/* A moment of a process; not ended. */
void chrome_mark(struct chrome_events *e, const char *name, const char *category,
	const struct sooth_record *r, uint64_t ns);
/* What a thread or process is called. */
void chrome_name(
	struct chrome_events *e, const char *what, uint32_t pid, uint32_t tid, const char *name);
void chrome_finish(struct chrome_events *e, uint64_t refused);
void chrome_fini(struct chrome_events *e);

#endif
