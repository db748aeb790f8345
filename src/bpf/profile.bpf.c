/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stacks of followed threads, taken when the clock of their CPU fires. A perf event per CPU calls
 * the program, whatever runs there; threads that are not followed leave at once. Instead of by the
 * clock they can be taken where selected system calls begin, or where the thread stops running.
 */
#include "bpf/member.bpf.h"
#include "bpf/profile.h"

#ifdef WITH_WAITS
struct wait {
	uint64_t began_ns; /* 0: it runs, or did not run yet */
	uint64_t bytes;	   /* of the tail */
	struct profile_raw raw;
	uint64_t tail[PROFILE_TAIL_WORDS];
};
#endif

struct thread {
	struct member member;
#ifdef WITH_WAITS
	struct wait wait;
#endif
};

#include "bpf/threads.bpf.h"
#include "bpf/unwind.bpf.h"
#include "bpf/javascript.bpf.h"
#include "bpf/follow.bpf.h"
#include "bpf/registers.bpf.h"
#include "bpf/abi.bpf.h"

struct profile_control control SEC(".data.control") = {};
const volatile struct profile_calls calls SEC(".rodata.calls") = {};

#define FRAME_WORDS 2

/* The thread that is sampled on this CPU: functions that are verified alone read it here. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct member);
} sampled SEC(".maps");

static inline struct member *sampled_here(void)
{
	uint32_t first = 0;

	return bpf_map_lookup_elem(&sampled, &first);
}

/* False: it is code that is not walked. */
static inline bool begin_at(struct walk *w, struct pt_regs *regs)
{
	w->pc = REGISTER_PC(regs);
	w->sp = REGISTER_SP(regs);
	w->fp = REGISTER_FP(regs);
	w->link = REGISTER_LINK(regs);
	w->has_link = HAS_LINK;
	return is_64_bit(regs);
}

/* The collector finds the file by its mapping, as long as the process is there, else by name. */
static inline void report_file(struct walk *w)
{
	struct vm_area_struct *vma = (void *)w->mapping.vma;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct member *m = sampled_here();
	struct profile_seen *r = m ? bpf_ringbuf_reserve(&ring, sizeof(*r), 0) : 0;
	uint32_t device;

	if (!r) {
		bpf_map_delete_elem(&files, &w->mapping.file); /* the next sample reports it */
		return;
	}
	device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	record_fill(
		&r->record, m, PROFILE_SEEN, RECORD_WORDS(struct profile_seen), bpf_ktime_get_ns());
	r->file = w->mapping.file;
	r->from = w->mapping.from;
	r->to = w->mapping.to;
	r->offset = w->mapping.from - w->mapping.shift;
	r->inode = file ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
	r->device_major = device >> PROFILE_MINOR_BITS;
	r->device_minor = device & ((1u << PROFILE_MINOR_BITS) - 1);
	r->name[0] = 0;
	bpf_probe_read_kernel_str(
		r->name, sizeof(r->name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

static inline void meet_file(struct walk *w)
{
	struct profile_file blank = {};

	if (w->mapping.file == PROFILE_FILE_NONE || bpf_map_lookup_elem(&files, &w->mapping.file))
		return;
	if (!bpf_map_update_elem(&files, &w->mapping.file, &blank, BPF_NOEXIST))
		report_file(w);
	else if (!bpf_map_lookup_elem(&files, &w->mapping.file))
		__sync_fetch_and_add(&control.files_full, 1);
}

/* Writes the frame that the walk is at. Returns 0 at the end of the walk. */
VERIFIED_ALONE_BY_NUMBERS int put_frame(uint32_t unused)
{
	struct walk *w = walk_here();
	uint32_t at;

	IS_PASSED(unused);
	if (!w)
		return 0;
	at = w->frames;
	w->address = w->pc - !w->is_exact;
	if (!find_mapping(0) || !w->mapping.is_code) {
		w->end = w->pc ? PROFILE_NO_CODE : PROFILE_WHOLE;
		return 0;
	}
	if (at >= PROFILE_FRAMES_MAX) {
		w->end = PROFILE_DEPTH;
		return 0;
	}
	meet_file(w);
	if (control.pythons)
		meet_python(w, w->address - w->mapping.shift);
	if (w->raw.js_file &&
		(w->mapping.file == PROFILE_FILE_NONE || w->mapping.file == w->raw.js_file)) {
		meet_javascript(0);
		meet_v8(0);
	}
	at = (at & (PROFILE_FRAMES_MAX - 1)) * FRAME_WORDS;
	w->tail[at] = w->mapping.file;
	w->tail[at + 1] = w->address - w->mapping.shift;
	w->frames++;
	return 1;
}

static inline void walk_user(struct walk *w, struct task_struct *task)
{
	w->frames = 0;
	w->python_runtime = 0;
	w->mm = (uint64_t)BPF_CORE_READ(task, mm);
	w->mapping.from = w->mapping.to = 0;
	w->is_exact = 1;
	w->tables_only = control.tables_only != 0;
	w->end = PROFILE_KERNEL_ONLY;
	w->raw.js_frames = 0;
	w->raw.js_file = 0;
	if (!w->mm)
		return;
	if (control.jscs)
		begin_javascript(w);
	if (!begin_at(w, user_registers(task))) {
		w->end = PROFILE_FOREIGN;
		return;
	}
	for (int i = 0; i <= PROFILE_FRAMES_MAX; i++) {
		if (!put_frame(0) || !step_up(0))
			break;
	}
}

/* Without the innermost frames that are the observer's own. */
static inline void walk_kernel(struct walk *w, void *context, uint32_t own)
{
	uint32_t at = (w->frames & (2 * PROFILE_FRAMES_MAX - 1)) * FRAME_WORDS;
	long bytes;

	if (at > FRAME_WORDS * PROFILE_FRAMES_MAX)
		at = FRAME_WORDS * PROFILE_FRAMES_MAX;
	bytes = bpf_get_stack(context, &w->tail[at], PROFILE_KERNEL_MAX * 8, own);
	w->raw.kernel_frames = bytes > 0 ? (uint32_t)bytes / 8 : 0;
}

/* Makes the record of the walk. Returns the bytes behind its fixed part. */
static inline uint32_t finish(struct walk *w, struct task_struct *task, const struct member *m)
{
	uint32_t words = w->frames * FRAME_WORDS + w->raw.kernel_frames + 3 * w->raw.python_frames;
	uint32_t bytes;

	words += put_javascript(w, words);
	bytes = words * 8;
	w->raw.user_frames = w->frames;
	w->raw.end = w->end;
	bpf_probe_read_kernel_str(w->raw.thread, sizeof(w->raw.thread), task->comm);
	bpf_probe_read_kernel_str(
		w->raw.process, sizeof(w->raw.process), BPF_CORE_READ(task, group_leader)->comm);
	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	record_fill(&w->raw.record, m, PROFILE_RAW, RECORD_WORDS(struct profile_raw) + words,
		bpf_ktime_get_ns());
	w->raw.record.fixed_words = RECORD_WORDS(struct profile_raw);
	return bytes;
}

static inline void emit(struct walk *w, struct task_struct *task, const struct member *m)
{
	uint32_t bytes = finish(w, task, m);

	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	if (bpf_ringbuf_output(&ring, &w->raw, sizeof(w->raw) + bytes, ring_flags()))
		__sync_fetch_and_add(&control.lost, 1);
}

static inline bool is_adopted(struct task_struct *task, struct member *m)
{
	if (!following.adopt || BPF_CORE_READ(task, flags) & PF_KTHREAD || is_own(task))
		return false;
	if (following.adopt == ADOPT_USER && (uint32_t)bpf_get_current_uid_gid() != following.uid)
		return false;
	identify(m, task);
	return true;
}

static inline bool is_followed(struct task_struct *task, struct member *m)
{
	struct thread *t = thread_current();

	if (t && t->member.interest && !t->member.is_before_exec)
		*m = t->member;
	else if (t || !is_adopted(task, m))
		return false;
	return true;
}

#ifdef WITH_WAITS
#include "bpf/profile_waits.bpf.h"
#else

SEC("perf_event")
int on_sample(void *context)
{
	struct task_struct *task = current_task();
	struct member *m = sampled_here();
	struct walk *w = walk_here();

	if (!m || !w || !is_followed(task, m))
		return 0;
	walk_user(w, task);
	walk_kernel(w, context, 0);
	w->raw.python_frames = w->raw.is_python_whole = 0;
	walk_python(0);
	emit(w, task, m);
	return 0;
}

static inline bool is_selected(uint32_t abi, uint32_t number)
{
	uint32_t other = abi != ABI_NATIVE && abi != ABI_X32;

	if (calls.has_all)
		return true;
	if (number >= PROFILE_CALL_NUMBERS)
		return false;
	return calls.wanted[other][(number / 64) & (PROFILE_CALL_NUMBERS / 64 - 1)] >>
		       (number % 64) &
	       1;
}

/* User space only: the kernel's frames are those of every system call. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_call, struct pt_regs *regs, long number)
{
	struct task_struct *task = current_task();
	uint32_t abi = abi_of(task, &number);
	struct member *m = sampled_here();
	struct walk *w = walk_here();

	if (!m || !w || !is_selected(abi, (uint32_t)number) || !is_followed(task, m))
		return 0;
	walk_user(w, task);
	w->raw.kernel_frames = 0;
	w->raw.python_frames = w->raw.is_python_whole = 0;
	walk_python(0);
	w->raw.call = (uint32_t)number;
	w->raw.abi = (uint16_t)abi;
	emit(w, task, m);
	return 0;
}

#endif

/* --- what following means for it: nothing is counted in a thread --- */

static void thread_ends(struct thread *t, uint64_t now)
{
}

static void thread_flush(struct thread *t, uint64_t now)
{
}

/* A wait that has not ended is known to its thread alone. */
static void thread_visited(struct thread *t, struct task_struct *task)
{
#ifdef WITH_WAITS
	emit_open_wait(t, task);
#endif
}

static void thread_execs(struct thread *t, struct linux_binprm *program)
{
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
