/* SPDX-License-Identifier: BSD-2-Clause */
/* Implements struct os for macOS. */
#include "os/bsd/services.h"
#include "os/bsd/source.h"
#include "os/darwin/darwin_source.h"

static struct bsd_source source = DARWIN_SOURCE(&darwin_native_calls,
	.watch_exit = bsd_native_watch_exit, .exit_status = bsd_native_exit_status);

const struct os os_native = {
	.name = "darwin",
	.backends = darwin_backends,
	.script = &source,
	BSD_OS_FUNCTIONS,
	BSD_OS_NATIVE_FUNCTIONS,
};
