/* SPDX-License-Identifier: BSD-2-Clause */
/* Removes the blanks around a text of a program's output. */
#pragma once

#include "base/cursor.h"

static inline struct span trimmed(struct span s)
{
	while (s.size && (s.data[0] == ' ' || s.data[0] == '\t')) {
		s.data++;
		s.size--;
	}
	while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\r'))
		s.size--;
	return s;
}
