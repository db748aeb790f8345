/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Handles reports of the dynamic loader that it has mapped libraries, of which no code has run yet.
 * If sooth has a pauser thread, the reporting thread waits for it in the kernel, for a moment, so
 * that it stops before its next instruction. Included by heap.bpf.c.
 */

#define JOBCTL_TRAP_STOP (1ul << 19) /* include/linux/sched/jobctl.h: a tracer requests a stop */
#define PAUSE_WAIT_NS	 300000	     /* time for the pauser to wake up */
#define PAUSE_CHECKS	 256	     /* checks in one call of waits_more() */
#define PAUSE_CALLS	 32

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HEAP_BEGUN_BYTES);
} begun SEC(".maps");

/* Returns whether no stop is requested yet, and there is still time for one. */
VERIFIED_ALONE_BY_NUMBERS int waits_more(uint64_t until_ns)
{
	struct task_struct *task = current_task();

	for (int i = 0; i < PAUSE_CHECKS; i++)
		if (TASK_READ(task, jobctl) & JOBCTL_TRAP_STOP || bpf_ktime_get_ns() >= until_ns)
			return 0;
	return 1;
}

static inline void wait_for_pauser(void)
{
	uint64_t until_ns = bpf_ktime_get_ns() + PAUSE_WAIT_NS;

	for (int i = 0; i < PAUSE_CALLS && waits_more(until_ns); i++)
		;
}

/* Reports a loaded library. Each call passes its own ring, as in report_begun(). */
static inline bool report_loaded(void *to, struct thread *t, struct pt_regs *regs, bool is_start)
{
	struct heap_loaded *r = bpf_ringbuf_reserve(to, sizeof(*r), 0);

	if (!r)
		return false;
	record_fill(&r->record, &t->member, HEAP_LOADED, RECORD_WORDS(struct heap_loaded),
		bpf_ktime_get_ns());
	r->is_start = is_start;
	r->address = CALL_ADDRESS(regs);
	r->returns = 0;
	if (RETURN_ADDRESS_BYTES)
		bpf_probe_read_user(&r->returns, sizeof(r->returns),
			(const void *)(unsigned long)CALL_STACK(regs));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	return true;
}

/* Handles a report of the loader. The collector finds new mappings by itself; the record only wakes
 * it. The pauser has to be faster, and cannot pause a process that has another tracer. */
static inline void loader_reports(struct thread *t, struct pt_regs *regs)
{
	struct task_struct *task = current_task();
	uint64_t code_pages = BPF_CORE_READ(task, mm, exec_vm);
	uint64_t starting = t->starting;

	if (starting)
		t->starting = starting - 1;
	FORGET_WALKS();
	/* The loader also reports before it maps. */
	if (code_pages == t->code_pages)
		return;
	t->code_pages = code_pages;
	if (control.has_pauser && !TASK_READ(task, ptrace) &&
		report_loaded(&begun, t, regs, starting)) {
		/* The first report of glibc is about the program itself. */
		if (starting < HEAP_LOADED_AT_START)
			wait_for_pauser();
		return;
	}
	if (!report_loaded(&ring, t, regs, starting))
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
}
