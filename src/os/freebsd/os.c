/* SPDX-License-Identifier: BSD-2-Clause */
/* Implements struct os for FreeBSD. */
#include "os/bsd/services.h"
#include "os/bsd/source.h"
#include "os/freebsd/freebsd_source.h"

static struct bsd_source source =
	FREEBSD_SOURCE(&freebsd_native_calls, .watch_exit = bsd_native_watch_exit,
		.exit_status = bsd_native_exit_status, .watch_lives = freebsd_watch_lives,
		.watch_life = freebsd_watch_life, .next_life = freebsd_next_life);

const struct os os_native = {
	.name = "freebsd",
	.backends = freebsd_backends,
	.script = &source,
	BSD_OS_FUNCTIONS,
	BSD_OS_NATIVE_FUNCTIONS,
};
