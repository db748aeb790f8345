/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types as BTF tells them (Documentation/bpf/btf.rst): those of the running kernel, and
 * those that a kernel-side program was compiled with. Found by name in one pass over all of
 * them, so that loading a small program costs little more than reading the file.
 *
 * Not known: what no program asks for yet (sizes and values of enumerations, functions'
 * arguments), and other byte orders than this machine's.
 */
#ifndef SOOTH_OS_LINUX_KERNEL_TYPES_H
#define SOOTH_OS_LINUX_KERNEL_TYPES_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

#define KERNEL_NAMES_MAX 128 /* looked for at once */
#define KERNEL_SAME_MAX	 4   /* types of one name */

/* One of linux/btf.h, BTF_KIND_*. */
struct kernel_type {
	uint32_t name; /* in the strings */
	uint32_t kind;
	uint32_t members; /* vlen */
	uint32_t size;	  /* or the type it is made of */
	bool has_bitfields;
	const unsigned char *more; /* what follows it, as long as its kind says */
};

struct kernel_types {
	const unsigned char *types, *strings;
	size_t types_size, strings_size;
	struct buffer starts; /* uint32_t: where every so many types begin */
	uint32_t count;	      /* ids are below it; 0 is void */
	void *mapped;
	size_t mapped_size;
};

/* What is looked for by name: structs and unions, or a function. */
struct kernel_name {
	struct span name;
	bool is_function;
	uint32_t found; /* how many of ids; more than KERNEL_SAME_MAX are told, not kept */
	uint32_t ids[KERNEL_SAME_MAX];
};

/* Over bytes that stay where they are. While they are gone through the names are found as well;
 * -EINVAL: it is no BTF, or not of this byte order. */
int kernel_types_over(struct kernel_types *t, const void *data, size_t size,
	struct kernel_name *names, size_t count);
/* Those of the running kernel. */
int kernel_types_open(
	struct kernel_types *t, struct kernel_name *names, size_t count, struct sooth_error *err);
void kernel_types_close(struct kernel_types *t);

bool kernel_types_get(const struct kernel_types *t, uint32_t id, struct kernel_type *out);
/* Empty where there is none. */
struct span kernel_types_name(const struct kernel_types *t, uint32_t name);

/* A way from a struct to what lies in it: members by name, elements of arrays by number. */
#define KERNEL_STEPS_MAX 8
struct kernel_step {
	struct span name; /* empty: an element */
	uint32_t element;
};
struct kernel_path {
	size_t count;
	struct kernel_step steps[KERNEL_STEPS_MAX];
};

struct kernel_place {
	uint32_t bit;  /* from the beginning of the struct */
	uint32_t bits; /* of a bit field; 0: it is none */
	uint32_t bytes;
	bool is_signed;
};

/* The way that "0:2:1" (numbers of members) is; false: there is none such. */
bool kernel_path_from(
	struct kernel_path *path, const struct kernel_types *t, uint32_t type, struct span numbers);
/* Where that leads to in a type; false: nowhere. */
bool kernel_types_find(const struct kernel_types *t, uint32_t type, const struct kernel_path *path,
	struct kernel_place *place);

#endif
