/* SPDX-License-Identifier: BSD-2-Clause */
/* Where V8 keeps the data that leads from a stack frame to the name of its function. The engine
 * exports its layout as constants (v8dbg_*) for debuggers. Offsets are in bytes; types are the
 * numbers that the engine's maps have. */
#pragma once

#include <stdbool.h>

#include "bpf/javascript.h"

struct v8_layout {
	struct profile_v8 shared; /* shared with the kernel side */
	int tag, tag_mask, tagged_bytes, smi_shift, smi_value_shift;
	int type_scope, type_script, type_debug, type_nonstring;
	int string_mask, string_encoding, string_one_byte;
	int string_seq, string_cons, string_external, string_sliced, string_thin;
	int string_length, string_letters, cons_first, cons_second, sliced_parent, sliced_offset;
	int thin_actual, external_resource;
	int scope_locals, scope_first; /* offsets in words of a ScopeInfo, behind its map */
	int script_name, script_source;
	int kind_regexp, kind_wasm; /* kinds of frames */
};

enum v8_layout_status {
	V8_LAYOUT_NONE, /* this file has no V8 */
	V8_LAYOUT_KNOWN,
	V8_LAYOUT_PARTIAL, /* constants are missing, or pointers are compressed */
};

/* Reads the layout from the file: call it with a timeout. */
enum v8_layout_status v8_layout_read(int fd, struct v8_layout *out);
