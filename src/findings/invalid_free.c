/* SPDX-License-Identifier: BSD-2-Clause */
/* invalid-free, double-free: the process frees what it may not.
 *
 * double-free: a block that is free already, whose memory may belong to other data by then. Only
 * blocks count that were allocated and freed during the observation.
 *
 * invalid-free: an address that was never allocated: a variable on the stack, an address at which
 * no block can begin, or an address inside of a block. Any other unknown address may be a block
 * allocated before the observation: then the process is reported neither as faulty nor as fine. */
#include "analyze/diagnosis/check.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	THRESHOLD("min-count", 1, 1, 1e6, "minimum number of such frees"),
};

/* Begins a finding: "frees memory twice: in parse <- main". */
static void begin_free(
	struct check_result *out, const struct heap_bad_free *first, const char *what)
{
	_cleanup_(buffer_fini) struct buffer stack = { 0 };

	if (first->stack_state == SOOTH_STATE_VALUE)
		heap_use_put_stack(&out->of->input->heap, first->stack, &stack);
	else
		buffer_string(&stack, "code without a recorded stack");
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "frees %s: in %s", what, buffer_cstr(&stack));
	finding_thread(out, first->record.tid);
}

static void diagnose_twice(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	uint64_t count = p ? p->errors[HEAP_FREED_TWICE].count : 0;
	const struct heap_bad_free *first;

	if (!check_has_heap_sums(out))
		return;
	if (!count || count < check_option(e, "min-count")) {
		check_fine(out, "no block was freed twice");
		return;
	}
	first = &p->errors[HEAP_FREED_TWICE].first;
	begin_free(out, first, "memory twice");
	finding_count(out, "blocks freed twice", count, 0);
	finding_text(out, "first of them", "%s at 0x%llx, by thread %u, %s after it was freed",
		FORMAT_BYTES(first->size), (unsigned long long)first->address, first->record.tid,
		FORMAT_NS(first->freed_ago_ns));
	finding_unseen(out, "which code freed it first, and blocks of before the observation");
	finding_remedy(out, "build it with -fsanitize=address: that prints where it was freed "
			    "first; or valgrind COMMAND");
}

/* --- what was never allocated --- */

static void report_invalid_free(struct check_result *out, const struct heap_bad_free *first,
	const char *what, uint64_t count)
{
	begin_free(out, first, what);
	finding_count(out, "invalid frees", count, 0);
	finding_text(out, "first of them", "0x%llx, by thread %u",
		(unsigned long long)first->address, first->record.tid);
	finding_unseen(out, "invalid frees of other addresses");
	finding_remedy(out, "build it with -fsanitize=address, or run it by valgrind: both print "
			    "where the memory comes from");
}

/* Returns why some of the frees that were seen may be invalid; NULL: all were of known blocks. */
static const char *doubt_reason(const struct heap_use_process *p)
{
	if (!p)
		return NULL;
	return p->is_sampled	? "only samples of its blocks are known"
	       : p->has_gap	? "allocator calls of a library that was just loaded were missed"
	       : p->older_freed ? "it freed blocks whose allocation was not seen"
				: NULL;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct heap_use_process *p = heap_use_of(&e->input->heap, &e->id);
	uint64_t on_stack = p ? p->errors[HEAP_FREED_STACK].count : 0;
	uint64_t inside = p ? p->errors[HEAP_FREED_INSIDE].count : 0, count = on_stack + inside;

	if (!check_has_heap_sums(out))
		return;
	if (count && count >= check_option(e, "min-count") && on_stack >= inside)
		report_invalid_free(
			out, &p->errors[HEAP_FREED_STACK].first, "a variable on the stack", count);
	else if (count && count >= check_option(e, "min-count"))
		report_invalid_free(out, &p->errors[HEAP_FREED_INSIDE].first,
			"an address where no block begins", count);
	else if (doubt_reason(p))
		check_blind_because(out, doubt_reason(p),
			p->has_gap ? "run it by valgrind, which sees every call"
				   : "launch it with sooth, so that every block is known: sooth "
				     "diagnose --heap -- COMMAND");
	else
		check_fine(out, "no invalid free");
}

const struct finding_detector finding_double_free = { diagnose_twice, FINDING_OPTIONS(options) };
const struct finding_detector finding_invalid_free = { diagnose, FINDING_OPTIONS(options) };
