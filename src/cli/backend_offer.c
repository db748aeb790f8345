/* SPDX-License-Identifier: BSD-2-Clause */
/* Methods that need less privilege, and cost more. */
#include "cli/backend_offer.h"

#include <stdio.h>
#include <string.h>

#include "cli/terminal/ask.h"
#include "os/os.h"

bool backend_offer_find(struct backend_offer *offer, const char *probe)
{
	struct sooth_error ignored;

	*offer = (struct backend_offer){ 0 };
	for (const struct backend *const *b = os_native.backends; *b; b++) {
		if (strcmp((*b)->probe, probe) != 0)
			continue;
		if ((*b)->only_on_request) {
			if (!backend_test_needs(*b, &os_native, &ignored))
				offer->backend = *b;
		} else if (!backend_test_needs(*b, &os_native, &offer->refusal)) {
			offer->backend = NULL;
			return false;
		}
	}
	return offer->backend != NULL;
}

bool backend_offer_accepted(const struct backend_offer *offer)
{
	const struct backend *b = offer->backend;
	char question[256];

	if (!ask_is_answered() || !ask_is_seen())
		return false;
	fprintf(stderr, "sooth: cannot %s: %s\n", offer->refusal.tried, offer->refusal.why);
	snprintf(question, sizeof(question),
		"Use %s? It makes each call of the target about %u us longer while this runs.",
		b->name, b->target_ns / 1000);
	return ask_yes(question);
}

void backend_offer_add_remedy(const struct backend_offer *offer, struct sooth_error *err)
{
	char before[sizeof(err->remedy)];

	if (strcmp(err->tried, offer->refusal.tried) != 0)
		return;
	snprintf(before, sizeof(before), "%s", err->remedy);
	error_remedy(err, "add --backend %s (slow: about %u us a call); or %s",
		offer->backend->name, offer->backend->target_ns / 1000, before);
}
