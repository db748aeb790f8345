/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of descriptor types and access modes, for display. */
#pragma once

#include <sooth/field.h>

extern const struct sooth_names fd_type_names;	 /* names by enum fds_type */
extern const struct sooth_names fd_access_names; /* names by enum fds_access */
