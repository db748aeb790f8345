/* SPDX-License-Identifier: BSD-2-Clause */
/* The view profile-pages if page faults were recorded, else nothing. */
#include <stdlib.h>

#include "analyze/profile/profile_pages.h"
#include "probes/profile.h"

struct seen_state {
	void *pages; /* state of that view */
	bool has_pages;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct seen_state *s = state;

	s->pages = calloc(1, stage_profile_pages.state_size);
	if (!s->pages)
		return error_no_memory(err);
	return stage_profile_pages.init(s->pages, output, options, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct seen_state *s = state;

	batch_for_each (r, batch)
		s->has_pages |= r->kind == PROFILE_PAGE || r->kind == PROFILE_RELEASE;
	return stage_profile_pages.push(s->pages, batch, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct seen_state *s = state;

	return s->has_pages ? stage_profile_pages.finish(s->pages, err) : 0;
}

static void fini(void *state)
{
	struct seen_state *s = state;

	if (s->pages)
		stage_profile_pages.fini(s->pages);
	free(s->pages);
}

const struct stage_type stage_pages_seen = {
	.name = "pages-seen",
	.help = "the same as profile-pages, if page faults were recorded",
	.tables = profile_pages_tables,
	STAGE_FUNCTIONS(struct seen_state),
};
