/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sites in processes whose calls bypass sooth's preloaded library. Included by heap.bpf.c. */

/* Returns whether the library makes the call, and records it itself. */
static inline bool is_recorded_there(struct pt_regs *regs)
{
	uint64_t code = 0;

	bpf_probe_read_user(
		&code, sizeof(code), (const void *)(unsigned long)CALL_RETURN_ADDRESS(regs));
	return code == HEAP_THROUGH_CODE;
}

static inline bool counts_late(const struct thread *t, struct pt_regs *regs, uint32_t place)
{
	return t->member.interest & FOLLOW_MARK &&
	       (place >= HEAP_PLACE_LOADER || !is_recorded_there(regs));
}
