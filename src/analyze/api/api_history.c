/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/api/api_history.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"

#define ENDPOINTS_MAX 4096
#define AT_ONCE_NS    NS_PER_S /* connect-failing reports a connection that fails sooner */
#define PATIENCE_NS                                                                                \
	(5 * NS_PER_S)	  /* a client that gives up sooner was not waiting for a slow server */
#define STILL_NS NS_PER_S /* a connection that was silent longer was idle, or stalled */

/* Returns the counter that a failed call belongs to; NULL: the call did not fail. */
static uint64_t *failure_of(struct api_endpoint *e, const struct api_call *c, uint64_t now_ns)
{
	uint64_t lasted_ns = now_ns - c->begin_ns;

	switch (c->outcome) {
	case API_CUT:
		return now_ns - c->last_ns < STILL_NS ? &e->cut : NULL;
	case API_CLOSED:
		return lasted_ns >= AT_ONCE_NS ? &e->closed : NULL;
	case API_RESET:
		return lasted_ns >= AT_ONCE_NS ? &e->reset : NULL;
	case API_GIVEN_UP:
		return lasted_ns >= PATIENCE_NS && c->ended_by == API_END_CLIENT ? &e->given_up
										 : NULL;
	default:
		return NULL;
	}
}

static void clear_failures(struct api_endpoint *e)
{
	e->failed = e->failed_since_ns = e->failed_last_ns = 0;
	e->cut = e->closed = e->reset = e->given_up = 0;
}

static void add_wait(struct api_endpoint *e, const struct api_call *c)
{
	uint64_t wait_ns = c->first_ns - c->begin_ns;

	e->waited++;
	e->wait_ns += wait_ns;
	e->wait_max_ns = wait_ns > e->wait_max_ns ? wait_ns : e->wait_max_ns;
}

static void add_ended_call(struct api_endpoint *e, const struct api_call *c, uint64_t now_ns)
{
	uint64_t *failure = failure_of(e, c, now_ns);

	e->calls++;
	e->answered += c->outcome == API_ANSWERED;
	e->refused += c->outcome == API_REFUSED;
	if (failure) {
		if (!e->failed++)
			e->failed_since_ns = c->begin_ns;
		(*failure)++;
		e->failed_last_ns = now_ns;
	} else if (c->outcome == API_ANSWERED || c->outcome == API_REFUSED) {
		clear_failures(e);
	}
}

static int record_api_event(void *user, const struct api_seen *seen, struct sooth_error *err)
{
	const struct api_connection *x = seen->connection;
	struct api_story_key key = api_story_key_of(&seen->process, api_connection_endpoint(x));
	struct api_history *h = user;
	struct api_endpoint *e;

	(void)err;
	if (seen->event == API_EVENT_REQUEST || !x->call.is_exact)
		return 0;
	e = map_put(&h->endpoints, &key, NULL);
	if (!e)
		return 0;
	memcpy(e->peer, x->peer, sizeof(e->peer));
	memcpy(e->path, x->call.path, sizeof(e->path));
	e->fd = seen->fd;
	if (seen->event == API_EVENT_ANSWER)
		add_wait(e, &x->call);
	else
		add_ended_call(e, &x->call, seen->time_ns);
	return 0;
}

void api_history_init(struct api_history *h)
{
	assert(h);
	*h = (struct api_history){ 0 };
	map_init(&h->endpoints, sizeof(struct api_story_key), sizeof(struct api_endpoint),
		ENDPOINTS_MAX);
}

void api_history_fini(struct api_history *h)
{
	assert(h);
	api_tracker_fini(&h->tracker);
	map_fini(&h->endpoints);
}

void api_history_begin(struct api_history *h)
{
	assert(h);
	if (!h->is_on)
		api_tracker_init(&h->tracker, record_api_event, h);
	h->is_on = true;
}

void api_history_add_record(struct api_history *h, const struct sooth_record *r)
{
	struct sooth_error ignored;

	assert(h);
	if (h->is_on && call_fold_follows(r))
		api_tracker_record(&h->tracker, r, &ignored);
}

void api_history_resolve(struct api_history *h)
{
	struct sooth_error ignored;

	assert(h);
	if (h->is_on)
		api_tracker_flush(&h->tracker, &ignored);
}

/* Returns whether a request waits for its answer. Uncertain bytes do not end the wait. */
bool api_history_waits(const struct api_history *h, const struct process_id *process, uint32_t fd,
	struct api_wait *out)
{
	assert(h);

	const struct api_connection *x =
		h->is_on ? api_tracker_connection(&h->tracker, process, fd) : NULL;

	if (!x || x->stage != API_SENT || !x->call.is_exact || x->maybe_bytes)
		return false;
	*out = (struct api_wait){ x->call.since_ns, x->call.attempt };
	return true;
}

void api_history_next_interval(struct api_history *h)
{
	assert(h);
	map_clear(&h->endpoints);
}
