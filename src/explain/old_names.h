/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of probes in captures of earlier versions, replaced by those in use now. */
#ifndef SOOTH_EXPLAIN_OLD_NAMES_H
#define SOOTH_EXPLAIN_OLD_NAMES_H

#include "base/buffer.h"
#include "model/batch.h"

/*
 * The batch with current names; the same one if it has no old name, else a copy in `renamed`, valid
 * until the next call. The buffer has failed when there was no memory.
 */
struct batch old_names_replace(struct buffer *renamed, const struct batch *batch);

#endif
