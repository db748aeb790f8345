/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/proc.h"
#include "os/bsd/sampling.h"
#include "os/bsd/waits.h"
#include "os/freebsd/freebsd_source.h"

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#define MADE(...)
#include "os/freebsd/backends.def"
#include "os/bsd/backends.def"
#undef BACKEND
#undef MADE

/* The list is in the order of ranks; a check enforces that. */
#define BACKEND(probe, name, rank) &backend_##probe##_##name,
#define MADE(...)		   &(const struct backend)__VA_ARGS__,
const struct backend *const freebsd_backends[] = {
#include "os/freebsd/backends.def"
#include "os/bsd/backends.def"
	NULL,
};
