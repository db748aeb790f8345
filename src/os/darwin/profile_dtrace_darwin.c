/* SPDX-License-Identifier: BSD-2-Clause */
/* profile by dtrace(1). */
#include "os/bsd/profile_dtrace.h"

const struct backend backend_profile_dtrace_darwin = PROFILE_DTRACE_BACKEND;
