/* SPDX-License-Identifier: BSD-2-Clause */
/* The box in which the user chooses columns, and saves the choice. */
#pragma once

#include "cli/top/state.h"

void top_column_list_open(struct top *t);
void top_column_list_handle_key(struct top *t, int key);
void top_column_list_draw(struct top *t);
