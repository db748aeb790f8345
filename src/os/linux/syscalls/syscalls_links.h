/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs at the entry and the return of system calls: attached and detached at any time. */
#ifndef SOOTH_OS_LINUX_SYSCALLS_LINKS_H
#define SOOTH_OS_LINUX_SYSCALLS_LINKS_H

#include "base/error.h"
#include "os/linux/bpf/bpf.h"

#define SYSCALLS_LINKS 4

struct syscalls_links {
	int programs[SYSCALLS_LINKS]; /* negative: this kernel needs no such program */
	int links[SYSCALLS_LINKS];    /* negative: detached */
};

void syscalls_links_init(struct syscalls_links *l, const struct bpf_code *code);
/* All, or none and the error. */
int syscalls_links_attach(struct syscalls_links *l, struct sooth_error *err);
void syscalls_links_detach(struct syscalls_links *l);

#endif
