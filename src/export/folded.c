/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks with weights, as flamegraph tools read them: the same as `sooth trace --folded`. */
#include "export/export.h"
#include "probes/syscalls.h"

const struct export_type export_folded = {
	.name = "folded",
	.help = "system calls as stacks with weights",
	.view = "syscall-folded",
	.sink = "folded",
	.needs = SYSCALLS_CALL,
	.needs_text = "the capture holds no single system calls",
	.needs_remedy = "record each call: `sooth record --stream --probe syscalls,proc,fds`; "
			"for the stacks of allocations or of CPU time: `sooth heap FILE --folded "
			"OUT`, `sooth profile FILE --folded OUT`",
};
