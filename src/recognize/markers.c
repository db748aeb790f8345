/* SPDX-License-Identifier: BSD-2-Clause */
/* Markers in an environment. */
#include "recognize/markers.h"

#include <assert.h>
#include <string.h>

#include "base/trace_parent.h"
#include "secrets/mask.h"
#include "base/environ.h"

#define MARKERS_MAX	 32    /* reported per process */
#define VARIABLES_MAX	 65536 /* compared */
#define TRACE_ENTRY_SIZE (sizeof(TRACE_PARENT_VARIABLE "=") + TRACE_PARENT_SIZE)

/* Returns the first letters of all markers: most variables are skipped by their first letter. */
static uint32_t first_letters(const struct agent_set *agents)
{
	uint32_t letters = 0;

	agent_set_for_each (agents, agent) {
		for (const struct agent_marker *m = agent->markers; m->name; m++)
			letters |= 1u << (m->name[0] & 31);
	}
	return letters;
}

static bool is_marker(const struct agent_set *agents, struct span name)
{
	agent_set_for_each (agents, agent) {
		for (const struct agent_marker *m = agent->markers; m->name; m++) {
			if (span_equal(name, m->name))
				return true;
		}
	}
	return false;
}

/* Returns whether a value may be a secret: an API key may have the form of a session id. */
static bool looks_secret(struct span value)
{
	struct buffer masked = { 0 };
	bool is_secret;

	mask_text(&masked, value.data, value.size);
	is_secret = buffer_failed(&masked) || masked.size != value.size ||
		    memcmp(masked.data, value.data, value.size) != 0;
	buffer_fini(&masked);
	return is_secret;
}

static bool is_identifier(struct span value)
{
	if (!value.size || value.size > MARKER_VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.size; i++) {
		char c = value.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    (c && strchr("._:-", c))))
			return false;
	}
	return !looks_secret(value);
}

/* Returns whether a name was reported. If a name is there twice, the first counts (getenv(3)). */
static bool is_reported(const struct buffer *out, size_t from, struct span name)
{
	struct cursor c;

	if (out->size == from)
		return false;
	c = cursor_over(out->data + from, out->size - from);
	while (!cursor_at_end(&c)) {
		struct span entry = cursor_until(&c, '\0');
		const char *equals = memchr(entry.data, '=', entry.size);

		if (equals)
			entry.size = (size_t)(equals - entry.data);
		if (!span_compare(entry, name))
			return true;
	}
	return false;
}

bool proc_markers_are_of_agent(struct span markers)
{
	return markers.size && !(span_starts(markers, TRACE_PARENT_VARIABLE "=") &&
				       markers.size == TRACE_ENTRY_SIZE);
}

void proc_markers_find(struct buffer *out, const struct agent_set *agents, const void *environment,
	size_t size, bool is_cut)
{
	assert(out);

	struct environ_walk walk = environ_over(environment, size, is_cut);
	uint32_t letters = first_letters(agents) | 1u << (TRACE_PARENT_VARIABLE[0] & 31);
	struct trace_parent trace;
	struct environ_variable v;
	size_t from = out->size;
	unsigned reported = 0;

	for (unsigned i = 0; i < VARIABLES_MAX && reported < MARKERS_MAX; i++) {
		struct span value;
		bool is_trace;

		if (!environ_next(&walk, &v))
			return;
		is_trace = span_equal(v.name, TRACE_PARENT_VARIABLE);
		if (!v.name.size || !(letters & 1u << (v.name.data[0] & 31)) ||
			!(is_trace || is_marker(agents, v.name)) || is_reported(out, from, v.name))
			continue;
		value = span_of(v.name.data + v.name.size + 1, v.size_bytes);
		if (is_trace && !trace_parent_parse(&trace, value))
			continue;
		buffer_append(out, v.name.data, v.name.size);
		if (is_trace || is_identifier(value)) {
			buffer_char(out, '=');
			buffer_append(out, value.data, value.size);
		}
		buffer_char(out, '\0');
		reported++;
	}
}
