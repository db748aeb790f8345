/* SPDX-License-Identifier: BSD-2-Clause */
/* Small iterators. */
#include "os/linux/bpf/bpf_walk.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/log.h"
#include "bpf/walk.h"
#include "os/linux/bpf/bpf.h"
#include "os/linux/bpf/bpf_fit.h"
#include "os/linux/bpf/bpf_fitted.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/needs.h"

#define READ_AT_ONCE   (32u << 10) /* the kernel fills this much for one read(2), 8 pages */
#define VERIFIER_BYTES (64u << 10)
#define NAME_SIZE      64
#define CALL_OF_KERNEL 2 /* BPF_PSEUDO_KFUNC_CALL; linux/bpf.h has it since 5.13 */

/* The parts of the image that loading needs. */
struct walk_image {
	unsigned char *bytes;	     /* the object file; what follows points into it */
	struct bpf_unfitted program; /* program whose instructions are a copy */
	struct kernel_name names[KERNEL_NAMES_MAX];
	size_t count;
	const struct kernel_name *entry, *cast; /* functions of the kernel, among the names */
	char section[NAME_SIZE], function[NAME_SIZE];
};

/* --- the image, made by sooth's own build --- */

static void patch_section(
	void *user, const char *name, const unsigned char *bytes, size_t size, bool is_code)
{
	struct walk_image *w = user;

	if (!strcmp(name, ".BTF"))
		w->program.types = span_of((const char *)bytes, size);
	else if (!strcmp(name, ".BTF.ext"))
		w->program.notes = span_of((const char *)bytes, size);
	else if (is_code && span_equal(w->program.section, name) && !w->program.instructions) {
		w->program.instructions = malloc(size);
		if (!w->program.instructions)
			return;
		memcpy(w->program.instructions, bytes, size);
		w->program.count = size / sizeof(struct bpf_insn);
	}
}

static const struct kernel_name *add_function(struct walk_image *w, const char *name)
{
	struct kernel_name *n = &w->names[w->count++];

	*n = (struct kernel_name){ .name = span_of(name, strlen(name)), .of = KERNEL_FUNCTION };
	return n;
}

static int read_image(struct walk_image *w, const struct bpf_image *image, const char *over,
	struct sooth_error *err)
{
	int status;

	snprintf(w->section, sizeof(w->section), "iter/%s", over);
	snprintf(w->function, sizeof(w->function), "bpf_iter_%s", over);
	w->program.section = span_of(w->section, strlen(w->section));
	w->bytes = bpf_image_unpack(image);
	if (!w->bytes)
		return error_no_memory(err);
	bpf_sections_visit(w->bytes, image->size, patch_section, w);
	status = w->program.instructions ? bpf_list_relocated_types(&w->program, w->names,
						   KERNEL_NAMES_MAX - 2, &w->count)
					 : -EINVAL;
	if (status)
		return error_set(err, status, SOOTH_FAULT_INTERNAL, "find %s in the BPF object %s",
			w->section, image->name);
	w->entry = add_function(w, w->function);
	w->cast = add_function(w, "bpf_rdonly_cast");
	return 0;
}

/* --- making it fit --- */

static void put_cast_instruction(const struct walk_image *w, struct bpf_insn *at)
{
	bool has_cast = w->cast->found == 1;

	if (at->imm == WALK_CAN_CAST)
		*at = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = has_cast
		};
	else if (has_cast)
		*at = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL,
			.src_reg = CALL_OF_KERNEL,
			.imm = (int32_t)w->cast->ids[0] };
	else
		*at = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
			.dst_reg = BPF_REG_0,
			.src_reg = BPF_REG_1 };
}

/* Fills in calls that stand for something that is known only here (bpf/walk.h). */
static void put_calls(struct walk_image *w)
{
	int32_t pid_namespace = (int32_t)needs_inner_pid_namespace();

	for (size_t i = 0; i < w->program.count; i++) {
		struct bpf_insn *at = &w->program.instructions[i];

		if (at->code != (BPF_JMP | BPF_CALL) || at->src_reg)
			continue;
		if (at->imm == WALK_CAST || at->imm == WALK_CAN_CAST)
			put_cast_instruction(w, at);
		else if (at->imm == WALK_PID_NAMESPACE)
			*at = (struct bpf_insn){ .code = BPF_ALU | BPF_MOV | BPF_K,
				.dst_reg = BPF_REG_0,
				.imm = pid_namespace };
	}
}

static int fit_image(struct walk_image *w, struct sooth_error *err)
{
	struct kernel_types kernel;
	int status = kernel_types_open(&kernel, w->names, w->count, err);

	if (status)
		return status;
	status = bpf_relocate(&w->program, &kernel, w->names, w->count, err);
	kernel_types_close(&kernel);
	if (status)
		return status;
	put_calls(w);
	if (w->entry->found == 1)
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "iterate in the kernel");
	return error_why(err, "this kernel has no iterator %s", w->function);
}

/* --- loading --- */

static int load_program(const struct walk_image *w, const char *name, char *messages)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER,
		.attach_btf_id = w->entry->ids[0], .log_buf = messages,
		.log_size = messages ? VERIFIER_BYTES : 0, .log_level = messages ? 1 : 0);
	int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, name, "Dual BSD/GPL",
		w->program.instructions, w->program.count, &options);

	return program < 0 ? -errno : program;
}

static void log_messages(const struct walk_image *w, const char *name, const struct log *log)
{
	_cleanup_free_ char *messages = NULL;
	char *line, *rest;
	int program;

	if (!log || log->level < LOG_WARNING || !(messages = calloc(1, VERIFIER_BYTES)))
		return;
	program = load_program(w, name, messages);
	if (program >= 0)
		close(program);
	messages[VERIFIER_BYTES - 1] = '\0';
	for (rest = messages; (line = strsep(&rest, "\n"));) {
		if (*line)
			log_line(log, LOG_WARNING, "%s", line);
	}
}

static int set_bpf_error(struct sooth_error *err, int status, const char *tried, const char *what)
{
	error_errno(err, status, "%s %s", tried, what);
	if (status == -EPERM) {
		error_missing(err, "permission to use BPF for tracing");
		error_remedy(err, "%s", needs_bpf_remedy());
	}
	return status;
}

int bpf_walk_open(struct bpf_walk *out, const struct bpf_image *image, const char *over,
	const struct log *log, struct sooth_error *err)
{
	_cleanup_free_ struct walk_image *w = calloc(1, sizeof(*w));
	struct bpf_walk made = { -1, -1 };
	int status = caller_may_watch(NULL, NULL, err);

	assert(image);
	if (!status)
		status = w ? read_image(w, image, over, err) : error_no_memory(err);
	if (!status)
		status = fit_image(w, err);
	if (!status) {
		made.program = load_program(w, image->name, NULL);
		if (made.program < 0) {
			status = set_bpf_error(
				err, made.program, "load the BPF program", image->name);
			log_messages(w, image->name, log);
		}
	}
	if (!status) {
		made.link = bpf_link_create(made.program, 0, BPF_TRACE_ITER, NULL);
		if (made.link < 0)
			status = set_bpf_error(err, -errno, "attach the BPF program", image->name);
	}
	if (w) {
		free(w->program.instructions);
		free(w->bytes);
	}
	if (status)
		bpf_walk_close(&made);
	else
		*out = made;
	return status;
}

int bpf_walk_run(const struct bpf_walk *w, struct buffer *scratch,
	void (*take)(void *user, const struct buffer *piece), void *user, struct sooth_error *err)
{
	assert(w);

	_cleanup_close_ int fd = bpf_iter_create(w->link);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0) {
		void *to;

		buffer_reset(scratch);
		to = buffer_reserve(scratch, READ_AT_ONCE);
		if (!to)
			return error_no_memory(err);
		do {
			got = read(fd, to, READ_AT_ONCE);
		} while (got < 0 && (errno == EINTR || errno == EAGAIN));
		if (got > 0) {
			buffer_commit(scratch, (size_t)got);
			take(user, scratch);
		}
	}
	return got < 0 ? set_bpf_error(err, -errno, "iterate with the BPF program", "in the kernel")
		       : 0;
}

void bpf_walk_close(struct bpf_walk *w)
{
	assert(w);
	cleanup_close(&w->link);
	cleanup_close(&w->program);
	*w = (struct bpf_walk){ -1, -1 };
}
