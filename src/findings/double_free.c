/* SPDX-License-Identifier: BSD-2-Clause */
/* double-free: a block is freed that is free already. Its memory may belong to other data by then.
 * Only blocks count that were allocated and freed during the observation. */
#include "analyze/diagnosis/check.h"
#include "base/units.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-count", 1, 1, 1e6, "minimum number of such frees"),
};

static void report(
	const struct check *e, struct check_result *out, const struct heap_use_errors *errors)
{
	const struct heap_bad_free *first = &errors->first;
	struct buffer stack = { 0 };
	char size[UNITS_SIZE], ago[UNITS_SIZE];

	if (first->stack_state == SOOTH_STATE_VALUE)
		heap_use_put_stack(&e->input->heap, first->stack, &stack);
	else
		buffer_string(&stack, "code without a recorded stack");
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "frees memory twice: in %s", buffer_cstr(&stack));
	finding_count(out, "blocks freed twice", (double)errors->count, 0);
	finding_text(out, "first of them", "%s at 0x%llx, by thread %u, %s after it was freed",
		format_bytes(size, first->size), (unsigned long long)first->address,
		first->record.tid, format_ns(ago, first->freed_ago_ns));
	finding_unseen(out, "which code freed it first, and blocks of before the observation");
	finding_remedy(out, "build it with -fsanitize=address: that prints where it was freed "
			    "first; or valgrind COMMAND");
	finding_thread(out, first->record.tid);
	finding_end(out);
	buffer_fini(&stack);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	const struct heap_use_errors *errors = p ? &p->errors[HEAP_FREED_TWICE] : NULL;

	if (!check_has_heap_sums(out))
		return;
	if (errors && (double)errors->count >= check_option(e, "min-count"))
		report(e, out, errors);
	else
		check_fine(out, "no block was freed twice");
}

const struct finding_type finding_double_free = {
	.id = "double-free",
	.claim = "frees memory that is free already",
	.probes = "proc,heap",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
