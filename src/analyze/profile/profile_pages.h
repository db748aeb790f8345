/* SPDX-License-Identifier: BSD-2-Clause */
/* The view profile-pages, for views that include it. */
#pragma once

#include "explain/stage.h"

extern const struct stage_type stage_profile_pages;
extern const struct sooth_schema *const profile_pages_tables[];
