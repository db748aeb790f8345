/* SPDX-License-Identifier: BSD-2-Clause */
/* Capability numbers; linux/capability.h of older systems lacks those of 5.8. */
#pragma once

#include <linux/capability.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif
