/* SPDX-License-Identifier: BSD-2-Clause */
/* invalid-free: the process frees an address that was never allocated: a variable on the stack, an
 * address at which no block can begin, or an address inside of a block. Any other unknown address
 * may be a block allocated before the observation: then the process is reported neither as faulty
 * nor as fine. */
#include "analyze/diagnosis/check.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-count", 1, 1, 1e6, "minimum number of such frees"),
};

static void report(const struct check *e, struct check_result *out,
	const struct heap_use_errors *errors, const char *what, uint64_t count)
{
	const struct heap_bad_free *first = &errors->first;
	struct buffer stack = { 0 };

	if (first->stack_state == SOOTH_STATE_VALUE)
		heap_use_put_stack(&e->input->heap, first->stack, &stack);
	else
		buffer_string(&stack, "code without a recorded stack");
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "frees %s: in %s", what, buffer_cstr(&stack));
	finding_count(out, "invalid frees", (double)count, 0);
	finding_text(out, "first of them", "0x%llx, by thread %u",
		(unsigned long long)first->address, first->record.tid);
	finding_unseen(out, "invalid frees of other addresses");
	finding_remedy(out, "build it with -fsanitize=address, or run it by valgrind: both print "
			    "where the memory comes from");
	finding_thread(out, first->record.tid);
	finding_end(out);
	buffer_fini(&stack);
}

/* Returns why some of the frees that were seen may be invalid; NULL: all were of known blocks. */
static const char *doubt(const struct heap_use_process *p)
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
	uint64_t inside = p ? p->errors[HEAP_FREED_INSIDE].count : 0;
	bool is_found = (double)(on_stack + inside) >= check_option(e, "min-count");

	if (!check_has_heap_sums(out))
		return;
	if (!is_found && doubt(p))
		check_blind_because(out, doubt(p),
			p->has_gap ? "run it by valgrind, which sees every call"
				   : "launch it with sooth, so that every block is known: sooth "
				     "diagnose --heap -- COMMAND");
	else if (!is_found)
		check_fine(out, "no invalid free");
	else if (on_stack >= inside)
		report(e, out, &p->errors[HEAP_FREED_STACK], "a variable on the stack",
			on_stack + inside);
	else
		report(e, out, &p->errors[HEAP_FREED_INSIDE], "an address where no block begins",
			on_stack + inside);
}

const struct finding_type finding_invalid_free = {
	.id = "invalid-free",
	.claim = "frees what was never allocated",
	.probes = "proc,heap",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
