/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Without libbpf's links: its print hook is process-global, and these are attached from a thread
 * of their own while others load programs.
 */
#include "os/linux/syscalls/syscalls_links.h"

#include <errno.h>
#include <unistd.h>

/* Returns first: a call is entered unseen rather than never returned. */
static const char *const names[SYSCALLS_LINKS] = { "on_return", "on_return_again", "on_enter",
	"on_enter_again" };

void syscalls_links_init(struct syscalls_links *l, const struct bpf_code *code)
{
	for (size_t i = 0; i < SYSCALLS_LINKS; i++) {
		l->programs[i] = bpf_code_program(code, names[i]);
		l->links[i] = -1;
	}
}

int syscalls_links_attach(struct syscalls_links *l, struct sooth_error *err)
{
	for (size_t i = 0; i < SYSCALLS_LINKS; i++) {
		int code;

		if (l->programs[i] < 0)
			continue;
		l->links[i] = bpf_raw_tracepoint_open(NULL, l->programs[i]);
		if (l->links[i] >= 0)
			continue;
		code = errno;
		syscalls_links_detach(l);
		return error_errno(err, -code, "attach the BPF program %s", names[i]);
	}
	return 0;
}

void syscalls_links_detach(struct syscalls_links *l)
{
	for (size_t i = SYSCALLS_LINKS; i-- > 0;) {
		if (l->links[i] >= 0)
			close(l->links[i]);
		l->links[i] = -1;
	}
}
