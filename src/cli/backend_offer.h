/* SPDX-License-Identifier: BSD-2-Clause */
/* Offers a method that is used only on request, where the caller may use no other. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct backend;

struct backend_offer {
	const struct backend *backend; /* NULL: none */
	struct sooth_error refusal;    /* of the others */
};

/* Finds such a method of a probe. False: another method works, or none does. */
bool backend_offer_find(struct backend_offer *offer, const char *probe);
/* Asks on the terminal; false without one. */
bool backend_offer_accepted(const struct backend_offer *offer);
/* Adds the option that requests the method to the error of a refusal. */
void backend_offer_add_remedy(const struct backend_offer *offer, struct sooth_error *err);
