/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the attempts of a repeated request: its user waits since the first attempt, and each
 * attempt usually opens another connection. Two requests are the same if endpoint, method and path
 * are equal. Where these are encrypted, the next request to the endpoint counts as the same,
 * because its length is known only at its end. */
#include "analyze/api/api_story.h"

#include <string.h>

#define STATUS_TIMEOUT	408
#define STATUS_CONFLICT 409
#define STATUS_MANY	429
#define STATUS_SERVER	500

struct api_story_key api_story_key_of(const struct process_id *process, const char *endpoint)
{
	struct api_story_key key = { .process = *process };

	memcpy(key.endpoint, endpoint, strnlen(endpoint, sizeof(key.endpoint) - 1));
	return key;
}

static bool is_same_request(const struct api_story *s, const struct api_call *call)
{
	return !s->has_request ||
	       (!strcmp(s->method, call->method) && !strcmp(s->path, call->path));
}

void api_story_begin(const struct api_story *s, struct api_call *call)
{
	if (!s || !s->attempts || !is_same_request(s, call))
		return;
	call->attempt = s->attempts + 1;
	call->since_ns = s->since_ns;
}

bool api_story_failed(const struct api_call *call)
{
	switch (call->outcome) {
	case API_CLOSED:
	case API_RESET:
	case API_CUT:
	case API_GIVEN_UP:
		return true;
	case API_REFUSED:
		return call->status == STATUS_TIMEOUT || call->status == STATUS_CONFLICT ||
		       call->status == STATUS_MANY || call->status >= STATUS_SERVER;
	default:
		return false;
	}
}

bool api_story_is_over(const struct api_call *call, enum api_event event)
{
	return event == API_EVENT_END &&
	       (call->outcome == API_ANSWERED || call->outcome == API_REFUSED);
}

void api_story_add(struct api_story *s, const struct api_call *call)
{
	*s = (struct api_story){ .attempts = call->attempt,
		.has_request = true,
		.since_ns = call->since_ns,
		.bytes_out = call->bytes_out };
	memcpy(s->method, call->method, sizeof(s->method));
	memcpy(s->path, call->path, sizeof(s->path));
}

void api_story_add_connect(struct api_story *s, uint64_t now_ns)
{
	if (!s->attempts++)
		s->since_ns = now_ns;
}
