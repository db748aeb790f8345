/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD behind struct os. */
#include "os/bsd/services.h"
#include "os/bsd/source.h"
#include "os/freebsd/freebsd_source.h"

#define BACKEND(probe, name, rank) extern const struct backend backend_##probe##_##name;
#include "os/freebsd/backends.def"
#include "os/bsd/backends.def"
#undef BACKEND

/* The list is in the order of ranks; a check enforces that. */
#define BACKEND(probe, name, rank) &backend_##probe##_##name,
static const struct backend *const backends[] = {
#include "os/freebsd/backends.def"
#include "os/bsd/backends.def"
	NULL,
};

static struct bsd_source source =
	FREEBSD_SOURCE(&freebsd_native_calls, .watch_exit = bsd_native_watch_exit,
		.exit_status = bsd_native_exit_status, .watch_lives = freebsd_watch_lives,
		.watch_life = freebsd_watch_life, .next_life = freebsd_next_life);

const struct os os_native = {
	.name = "freebsd",
	.backends = backends,
	.script = &source,
	BSD_OS_FUNCTIONS,
	BSD_OS_NATIVE_FUNCTIONS,
};
