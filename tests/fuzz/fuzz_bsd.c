/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of FreeBSD's sysctls and of macOS' libproc, records of ktrace, what sample, dtrace and
 * fs_usage print: the first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "os/bsd/dtrace_lines.h"
#include "os/darwin/decode/fs_usage.h"
#include "os/darwin/decode/proc_info.h"
#include "os/darwin/decode/sample.h"
#include "os/freebsd/decode/kinfo_file.h"
#include "os/freebsd/decode/kinfo_kstack.h"
#include "os/freebsd/decode/kinfo_lockf.h"
#include "os/freebsd/decode/kinfo_proc.h"
#include "os/freebsd/decode/kinfo_vmentry.h"
#include "os/freebsd/decode/ktrace.h"
#include "os/freebsd/decode/socket_lists.h"
#include "os/freebsd/decode/tcp_pcb.h"

#define STEPS_MAX 100000

static void check_text(const char *text, size_t room)
{
	if (!memchr(text, 0, room))
		abort();
}

static void fuzz_kinfo(const uint8_t *data, size_t size)
{
	const struct kinfo_scale scale = { .boot_utc_ns = 1, .page_bytes = 4096 };
	struct bsd_process p;
	struct bsd_thread t;

	if (kinfo_proc_decode(&p, data, size, &scale))
		check_text(p.name, sizeof(p.name));
	if (kinfo_thread_decode(&t, data, size)) {
		check_text(t.name, sizeof(t.name));
		check_text(t.wait_channel, sizeof(t.wait_channel));
	}
}

static void fuzz_files(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct bsd_descriptor d;

	for (unsigned i = 0; kinfo_file_next(&d, &c); i++) {
		check_text(d.detail, sizeof(d.detail));
		check_text(d.local, sizeof(d.local));
		check_text(d.remote, sizeof(d.remote));
		if (d.file.type >= FDS_TYPES || i > STEPS_MAX)
			abort();
	}
}

static void fuzz_maps(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct bsd_mapping m;

	for (unsigned i = 0; kinfo_vmentry_next(&m, &c, 4096); i++) {
		if (m.path.size > size + 16 || i > STEPS_MAX)
			abort();
	}
}

static void fuzz_connections(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct cursor stacks = c, trace;
	struct kstack_thread thread;
	struct kstack_frame frame;
	struct cursor locks = c, sockets = c, inet = c;
	struct bsd_file_lock lock;
	struct bsd_socket_at at;
	struct tcp_pcb found;

	for (unsigned i = 0; kinfo_lockf_next(&lock, &locks) ||
			     socket_list_next(&at, &sockets, SOCKET_LIST_LOCAL) ||
			     socket_list_next(&at, &inet, SOCKET_LIST_INET);
		i++) {
		if (i > STEPS_MAX)
			abort();
	}
	while (kstack_next(&thread, &stacks)) {
		trace = cursor_over(thread.trace.data, thread.trace.size);
		while (kstack_frame_next(&frame, &trace)) {
			if (frame.function.size > thread.trace.size)
				abort();
		}
	}
	for (unsigned i = 0; tcp_pcb_next(&found, &c); i++) {
		if (found.state >= SOCKETS_STATES || i > STEPS_MAX)
			abort();
	}
}

static void fuzz_ktrace(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct ktrace_record r;
	struct ktrace_call call;
	struct ktrace_return ret;
	struct ktrace_io io;
	struct ktrace_signal signal;
	struct ktrace_switch sw;
	struct ktrace_struct st;
	struct ktrace_refusal refusal;
	struct ktrace_fault fault;
	struct utrace_malloc m;

	while (ktrace_next(&r, &c)) {
		check_text(r.name, sizeof(r.name));
		if (ktrace_call(&call, &r) && call.argument_count > KTRACE_ARGUMENTS)
			abort();
		ktrace_return(&ret, &r);
		if (ktrace_io(&io, &r) && io.data.size > r.payload.size)
			abort();
		ktrace_signal(&signal, &r);
		if (ktrace_switch(&sw, &r))
			check_text(sw.wait_channel, sizeof(sw.wait_channel));
		if (ktrace_struct(&st, &r) && st.data.size > r.payload.size)
			abort();
		ktrace_refusal(&refusal, &r);
		ktrace_fault(&fault, &r);
		utrace_malloc(&m, r.payload);
	}
}

static void fuzz_darwin(const uint8_t *data, size_t size)
{
	const struct mach_scale scale = { .numerator = 125, .denominator = 3 };
	struct process_arguments a;
	struct bsd_descriptor d;
	struct bsd_process p;
	struct bsd_mapping m;
	struct bsd_thread t;

	if (task_decode(&p, data, size, &scale))
		signals_decode(&p, data, size);
	thread_decode(&t, 1, data, size);
	region_decode(&m, data, size, 16384);
	vnode_fd_decode(&d, data, size);
	pipe_fd_decode(&d, data, size);
	if (socket_fd_decode(&d, data, size)) {
		check_text(d.local, sizeof(d.local));
		check_text(d.remote, sizeof(d.remote));
	}
	if (arguments_decode(&a, data, size) &&
		a.executable.size + a.arguments.size + a.environment.size > size)
		abort();
}

static void check_stack(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut)
{
	size_t size = *(size_t *)user;

	(void)is_cut;
	if (!weight || depth > SAMPLE_DEPTH_MAX || thread->name.size > size)
		abort();
	for (size_t i = 0; i < depth; i++) {
		if (frames[i].function.size > size || frames[i].image.size > size)
			abort();
	}
}

static void fuzz_sample(const uint8_t *data, size_t size)
{
	struct span report = span_of((const char *)data, size);
	struct sample_image images[16];
	struct sample_head head;

	if (sample_head_decode(&head, report) && head.name.size > size)
		abort();
	for (size_t i = sample_images(images, 16, report); i > 0; i--) {
		if (images[i - 1].path.size > size || images[i - 1].begin >= images[i - 1].end)
			abort();
	}
	sample_walk(report, check_stack, &size);
}

/* Lines of both, each as if it was one of dtrace, of a stack, and of fs_usage. */
static void fuzz_lines(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct fs_usage_line usage;
	struct dtrace_line line;
	struct dtrace_frame frame;

	while (!cursor_at_end(&c)) {
		struct span text = cursor_line(&c);

		if (dtrace_line_decode(&line, text)) {
			check_text(line.process, sizeof(line.process));
			check_text(line.path, sizeof(line.path));
			if (line.call.size > text.size)
				abort();
		}
		if (dtrace_frame_decode(&frame, text) &&
			frame.function.size + frame.module.size > text.size)
			abort();
		if (fs_usage_decode(&usage, text) &&
			(usage.day_ns > FS_USAGE_DAY_NS || usage.path.size > text.size ||
				usage.process.size > text.size))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const decoders[])(const uint8_t *, size_t) = { fuzz_kinfo, fuzz_files,
		fuzz_maps, fuzz_ktrace, fuzz_darwin, fuzz_connections, fuzz_sample, fuzz_lines };
	uint8_t *copy;

	if (!size)
		return 0;
	/* Of its own size, so that a read beyond it is seen. */
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	decoders[copy[0] % 8](copy + 1, size - 1);
	free(copy);
	return 0;
}
