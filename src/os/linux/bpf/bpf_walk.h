/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel-side program that iterates over all objects of a kind and writes data about them: one
 * iterator, without maps and variables. It is loaded without libbpf, which reads and indexes the
 * kernel's types several times: that takes ten times as long. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "os/linux/bpf/bpf.h"

struct bpf_walk {
	int program, link;
};

/* Opens the image's section "iter/<over>". */
int bpf_walk_open(struct bpf_walk *w, const struct bpf_image *image, const char *over,
	const struct log *log, struct sooth_error *err);
/* Runs one iteration over all objects. The program's output comes in pieces, one for each read(2),
 * and each piece was written just now; a piece may end within one write of the program. The buffer
 * is scratch. */
int bpf_walk_run(const struct bpf_walk *w, struct buffer *scratch,
	void (*take)(void *user, const struct buffer *piece), void *user, struct sooth_error *err);
void bpf_walk_close(struct bpf_walk *w);
