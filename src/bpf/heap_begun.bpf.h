/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports programs that begin to the thread that pauses them, if there is one, because the
 * collector is late on a busy host. Included by heap.bpf.c, behind heap_loaded.bpf.h. */

/* A device number within the kernel (include/linux/kdev_t.h). */
#define DEVICE_MINOR_BITS 20

/* Reports a started program. Each call passes its own ring: the verifier of Linux 5.10 rejects a
 * pointer to either. */
static inline bool report_begun(void *to, struct thread *t, struct linux_binprm *program)
{
	struct heap_begun *r = bpf_ringbuf_reserve(to, sizeof(*r), 0);
	struct inode *inode = BPF_CORE_READ(program, file, f_inode);
	uint32_t device = BPF_CORE_READ(inode, i_sb, s_dev);

	if (!r)
		return false;
	record_fill(&r->record, &t->member, HEAP_BEGUN, RECORD_WORDS(struct heap_begun),
		bpf_ktime_get_ns());
	r->inode = BPF_CORE_READ(inode, i_ino);
	r->device_major = device >> DEVICE_MINOR_BITS;
	r->device_minor = device & ((1u << DEVICE_MINOR_BITS) - 1);
	r->path[0] = 0;
	bpf_probe_read_kernel_str(r->path, sizeof(r->path), BPF_CORE_READ(program, filename));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	return true;
}

static void thread_execs(struct thread *t, struct linux_binprm *program)
{
	t->stack = 0; /* the call belonged to the previous program */
	/* Code that the previous program had loaded late is no longer counted, though its probes
	 * are inherited. */
	t->member.interest &= ~FOLLOW_MARK;
	t->starting = HEAP_LOADED_AT_START;
	t->code_pages = 0;
	FORGET_WALKS();
#ifdef WITH_SUMS
	t->program = 0;
	t->is_held = 0;
#endif
	if (control.has_pauser && report_begun(&begun, t, program))
		return;
	if (!report_begun(&ring, t, program))
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
}
