/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/lock_failure.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/escape.h"
#include "base/cleanup.h"
#include "model/errno_names.h"

void lock_failure_text(struct buffer *to, const struct call_place *place)
{
	assert(place);

	bool is_file = place->error == LINUX_EEXIST;

	buffer_format(to, "%s%s %s", is_file ? "lock file " : "", place->text,
		is_file ? "exists" : "is locked by another process");
}

const struct waits_party *lock_failure_owner(const struct check *e, const struct call_place *place)
{
	assert(e);

	const struct snapshot *samples[] = { check_last(e, &e->input->waits),
		check_first(e, &e->input->waits) };

	assert(place);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct batch all = snapshot_records(samples[i]);

		batch_for_each (r, &all) {
			const struct waits_party *p = record_as(r, WAITS_PARTY, sizeof(*p));

			if (p && p->node_pid == e->id.pid && p->party_pid &&
				p->relation == WAITS_RELATION_LOCK_FILE &&
				span_equal(record_text(r, &p->detail), place->text))
				return p;
		}
	}
	return NULL;
}

void lock_failure_emit(
	struct check_result *out, const struct call_place *place, const struct waits_party *owner)
{
	assert(place);
	finding_path(out, span_of_string(place->text));
	if (owner && !owner->is_alive) {
		finding_text(out, "owner", "process %u, which is gone", owner->party_pid);
		finding_remedy(out, "the lock was left behind: remove the file");
		return;
	}
	if (owner) {
		finding_text(out, "owner", "%.*s (%u)",
			SPAN_ARGS(record_text(&owner->record, &owner->name)), owner->party_pid);
		finding_remedy(out, "sooth why %u says what its owner does", owner->party_pid);
		return;
	}
	finding_unseen(out, "whether a process still works under that lock");
	if (place->error == LINUX_EEXIST)
		finding_remedy(out, "if no program works under it any more (ps shows them), it was "
				    "left behind: remove the file");
	else
		finding_remedy(out, "fuser -v %s shows the process that has it",
			escape_is_shell_word(place->text, strlen(place->text)) ? place->text
									       : "FILE");
}
