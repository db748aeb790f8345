/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of columns over the screen: which of them are wanted, and keeping that. */
#ifndef SOOTH_CLI_TOP_COLUMN_LIST_H
#define SOOTH_CLI_TOP_COLUMN_LIST_H

#include "cli/top/state.h"

void top_column_list_open(struct top *t);
void top_column_list_take_key(struct top *t, int key);
void top_column_list_draw(struct top *t);

#endif
