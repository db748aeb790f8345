/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes that a diagnosis can do without. */
#include "cli/diagnosing_probes.h"

#include <stdio.h>
#include <string.h>

#include "collect/backend.h"
#include "os/os.h"

/* By more than the method that sees nothing, which needs nothing. */
bool diagnosing_can_observe(const char *probe, struct sooth_error *refusal)
{
	*refusal = (struct sooth_error){ .tried = "find a method on this system" };
	for (const struct backend *const *b = os_native.backends; *b; b++) {
		if (!strcmp((*b)->probe, probe) && (*b)->needs &&
			!backend_test_needs(*b, &os_native, refusal))
			return true;
	}
	return false;
}

void diagnosing_drop_probe(struct run *run, const char *name)
{
	size_t n = 0;

	while (strcmp(run->probes[n].name, name) != 0)
		n++;
	for (; run->probes[n].name; n++)
		run->probes[n] = run->probes[n + 1];
}

void diagnosing_note_refusal(char text[DIAGNOSING_REASON_BYTES], const struct sooth_error *refusal)
{
	snprintf(text, DIAGNOSING_REASON_BYTES, "%s%s%s", refusal->tried, *refusal->why ? ": " : "",
		refusal->why);
}

/* Names of functions come at the end of the run: a watch would not have them. */
void diagnosing_add_samples(struct diagnosing *d, struct run *run, bool has_processes)
{
	bool is_default = !d->agent && !d->is_passive;
	struct sooth_error refusal;
	size_t n = 0;

	if (!has_processes || d->is_gone || d->is_quick || d->watch_ns ||
		!(is_default || d->wants_samples))
		return;
	d->has_samples = diagnosing_can_observe("profile", &refusal);
	if (!d->has_samples) {
		diagnosing_note_refusal(d->no_samples, &refusal);
		return;
	}
	while (run->probes[n].name)
		n++;
	run->probes[n] = (struct run_probe){ "profile", SOOTH_STREAM };
}
