/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the states, families and sides of sockets, for display. */
#pragma once

#include <sooth/field.h>

extern const struct sooth_names socket_state_names;  /* names by enum sockets_state */
extern const struct sooth_names socket_family_names; /* names by enum sockets_family */
extern const struct sooth_names socket_side_names;   /* names by enum sockets_side */
extern const struct sooth_names socket_opener_names; /* names by enum sockets_opener */
