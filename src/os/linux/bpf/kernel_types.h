/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types from BTF (Documentation/bpf/btf.rst): those of the running kernel, and those with which a
 * kernel-side program was compiled. They are found by name in one pass over all types, so loading a
 * small program costs little more than reading the file.
 *
 * Not supported: data that no program needs yet (values of enumerations, functions' arguments), and
 * other byte orders than this machine's.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

#define KERNEL_NAMES_MAX 128 /* most names looked up together */
#define KERNEL_SAME_MAX	 4   /* most types with one name */

/* A type of BTF; `kind` as in linux/btf.h, BTF_KIND_*. */
struct kernel_type {
	uint32_t name; /* position of the name in the strings */
	uint32_t kind;
	uint32_t members; /* vlen */
	uint32_t size;	  /* size in bytes, or id of the type that it is made of */
	bool has_bitfields;
	const unsigned char *more; /* the data behind it, whose length depends on the kind */
};

struct kernel_types {
	const unsigned char *types, *strings;
	size_t types_size, strings_size;
	struct buffer starts; /* uint32_t: where every n-th type begins */
	uint32_t count;	      /* ids are below it; 0 is void */
	void *mapped;
	size_t mapped_size;
};

enum kernel_named {
	KERNEL_STRUCT, /* struct or union */
	KERNEL_FUNCTION,
	KERNEL_ENUM,
	KERNEL_ALIAS, /* alias of a type */
	KERNEL_UNNAMED,
};

/* A name to look up. */
struct kernel_name {
	struct span name;
	enum kernel_named of;
	uint32_t found; /* number of ids found; more than KERNEL_SAME_MAX are counted, not kept */
	uint32_t ids[KERNEL_SAME_MAX];
};

/* Reads types from bytes that stay in place, and finds the names in the same pass. -EINVAL: no BTF,
 * or another byte order. */
int kernel_types_over(struct kernel_types *t, const void *data, size_t size,
	struct kernel_name *names, size_t count);
/* Opens the types of the running kernel. */
int kernel_types_open(
	struct kernel_types *t, struct kernel_name *names, size_t count, struct sooth_error *err);
void kernel_types_close(struct kernel_types *t);

bool kernel_types_get(const struct kernel_types *t, uint32_t id, struct kernel_type *out);
/* Returns a name from the strings; "": none. */
struct span kernel_types_name(const struct kernel_types *t, uint32_t name);

/* Returns the kind of a type's name; KERNEL_UNNAMED: it is not looked up. */
enum kernel_named kernel_type_names(const struct kernel_type *type);
/* Returns the name of the enumerator at an index ("": there is none); kernel_has_enumerator()
 * returns whether the enumeration has one of a name. */
struct span kernel_enumerator(
	const struct kernel_types *t, const struct kernel_type *type, uint32_t index);
bool kernel_has_enumerator(
	const struct kernel_types *t, const struct kernel_type *type, struct span name);
/* Sets the size of a type in bytes; false: the type has none, or it is unknown. */
bool kernel_types_size(const struct kernel_types *t, uint32_t id, uint32_t *bytes);

/* The path from a struct to a part of it: members by name, elements of arrays by number. */
#define KERNEL_STEPS_MAX 8
struct kernel_step {
	struct span name; /* "": an element */
	uint32_t element;
};
struct kernel_path {
	size_t count;
	struct kernel_step steps[KERNEL_STEPS_MAX];
};

struct kernel_place {
	uint32_t bit;  /* offset from the start of the struct */
	uint32_t bits; /* size of a bit field; 0: no bit field */
	uint32_t bytes;
	bool is_signed;
};

/* Makes the path for "0:2:1" (indexes of members); false: there is no such path. */
bool kernel_path_from(
	struct kernel_path *path, const struct kernel_types *t, uint32_t type, struct span numbers);
/* Finds the place that the path leads to in a type; false: there is none. */
bool kernel_types_find(const struct kernel_types *t, uint32_t type, const struct kernel_path *path,
	struct kernel_place *place);
