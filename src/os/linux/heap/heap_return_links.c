/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_return_links.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "os/linux/rights/needs.h"
#include "symbols/instruction.h"

#define PROGRAM	      "on_session"
#define PROCESSES_MAX 65536

/* Returns whether sessions can be used. On aarch64 the return address is in a register: nothing
 * shows whether a call whose return is not probed is still in progress. */
static bool has_sessions(void)
{
#ifdef __x86_64__
	return needs_kernel_release() >= KERNEL_RELEASE(6, 13);
#else
	return false;
#endif
}

int heap_return_links_prepare(struct bpf_code *code, struct sooth_error *err)
{
	int status;

	if (!bpf_object__find_program_by_name(code->object, PROGRAM))
		return 0;
	status = bpf_code_postpone(code, PROGRAM, err);
	return status ? status : bpf_code_expect(code, PROGRAM, PROBER_SESSION_ATTACH_TYPE, err);
}

bool heap_return_links_open(
	struct heap_return_links *s, struct bpf_code *code, const struct log *log)
{
	struct sooth_error ignored;
	int program;

	if (!has_sessions()) {
		log_line(log, LOG_INFO,
			"samples: the return of each call is probed (session links need Linux "
			"6.13)");
		return false;
	}
	program = bpf_code_program(code, PROGRAM);
	if (program < 0) {
		log_line(log, LOG_WARNING,
			"samples: the return of each call is probed: load %s for session links: %s",
			PROGRAM, strerror(-program));
		return false;
	}
	if (prober_session.open(&s->prober, log, &ignored))
		return false;
	map_init(&s->attached, sizeof(uint32_t), sizeof(uint64_t), PROCESSES_MAX);
	s->program = program;
	log_line(log, LOG_INFO,
		"samples: the return of a call is probed if it is needed (session links)");
	return true;
}

int heap_return_links_define(struct heap_return_links *s, const struct prober_place *places,
	size_t count, struct sooth_error *err)
{
	unsigned event;
	int status = prober_session.define(
		s->prober, places, count, false, s->program, &event, NULL, err);

	if (status)
		return status;
	s->events = event + 1;
	for (size_t i = 0; i < count; i++) {
		struct prober_place place = places[i];

		place.file = fcntl(place.file, F_DUPFD_CLOEXEC, 3);
		if (place.file < 0)
			return error_errno(err, -errno, "keep a probed file open");
		buffer_append(&s->waiting, &place, sizeof(place));
	}
	return buffer_failed(&s->waiting) ? error_no_memory(err) : 0;
}

void heap_return_links_hold(struct heap_return_links *s, struct links_holder *holder)
{
	if (s->program)
		prober_session.hold(s->prober, holder);
}

size_t heap_return_links_move_waiting(
	struct heap_return_links *s, struct prober_place *places, size_t room)
{
	size_t count = s->waiting.size / sizeof(*places);

	count = count < room ? count : room;
	if (count)
		memcpy(places, s->waiting.data, count * sizeof(*places));
	buffer_consume(&s->waiting, count * sizeof(*places));
	return count;
}

int heap_return_links_attach(struct heap_return_links *s, uint32_t pid, struct sooth_error *err)
{
	int status = 0;

	if (!s->program || s->pid != pid)
		return 0;
	for (unsigned e = 0; e < s->events && status >= 0; e++)
		status = prober_session.attach(s->prober, e, (pid_t)pid, (pid_t)pid, err);
	return status < 0 ? status : 0;
}

bool heap_return_links_leave_out(
	const struct heap_return_links *s, uint32_t parent, uint64_t forked_ns)
{
	const uint64_t *attached_ns;

	if (!s->program)
		return false;
	attached_ns = map_get(&s->attached, &parent);
	return parent == s->pid || (attached_ns && forked_ns < *attached_ns);
}

void heap_return_links_note_attached(struct heap_return_links *s, uint32_t pid, uint64_t now_ns)
{
	uint64_t *attached_ns = map_put(&s->attached, &pid, NULL);

	if (attached_ns)
		*attached_ns = now_ns;
}

void heap_return_links_note_ended(struct heap_return_links *s, uint32_t pid)
{
	if (s->program)
		map_remove(&s->attached, &pid);
}

size_t heap_return_links_count_descriptors(const struct heap_return_links *s)
{
	return s->program ? prober_session.descriptors(s->prober) : 0;
}

void heap_return_links_detach(struct heap_return_links *s)
{
	if (s->program)
		prober_session.detach(s->prober);
}

void heap_return_links_close(struct heap_return_links *s, uint64_t *detach_ns)
{
	if (!s->program)
		return;
	prober_session.close(s->prober, detach_ns);
	for (size_t i = 0; i < s->waiting.size / sizeof(struct prober_place); i++)
		close(((const struct prober_place *)(const void *)s->waiting.data)[i].file);
	buffer_fini(&s->waiting);
	map_fini(&s->attached);
	*s = (struct heap_return_links){ 0 };
}
