/* SPDX-License-Identifier: BSD-2-Clause */
/* The constants of V8. Only some versions append the type of a member to its name. */
#include "os/linux/runtimes/v8/v8_layout.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/elf_exports.h"

#define WORD_BYTES	   8
#define SCOPE_INLINE_FIRST 3 /* least number of words before the variables */
#define SCOPE_WORDS_MAX	   16
#define CONSTRUCTORS	   16 /* types of functions behind the first one, if the last is unknown */
#define OFFSET_MAX	   512

struct constant {
	const char *name, *other; /* `other`: the name in other versions */
	size_t at;
	bool is_optional;
};

#define AT(member) offsetof(struct constants, member)

/* Constants with the values that the engine has. */
struct constants {
	struct v8_layout layout;
	int system_pointer, map_type, function_shared, shared_name, shared_script, shared_type;
	int function_first, function_last, context_first, context_last, fp_context, fp_function;
};

static const struct constant constants[] = {
	{ "v8dbg_HeapObjectTag", NULL, AT(layout.tag), false },
	{ "v8dbg_HeapObjectTagMask", NULL, AT(layout.tag_mask), false },
	{ "v8dbg_TaggedSize", NULL, AT(layout.tagged_bytes), false },
	{ "v8dbg_SystemPointerSize", NULL, AT(system_pointer), false },
	{ "v8dbg_SmiShiftSize", NULL, AT(layout.smi_shift), false },
	{ "v8dbg_SmiValueShift", NULL, AT(layout.smi_value_shift), false },
	{ "v8dbg_off_fp_context", NULL, AT(fp_context), false },
	{ "v8dbg_off_fp_function", NULL, AT(fp_function), false },
	{ "v8dbg_class_Map__instance_type__uint16_t", NULL, AT(map_type), false },
	{ "v8dbg_class_JSFunction__shared__*", NULL, AT(function_shared), false },
	{ "v8dbg_class_SharedFunctionInfo__name_or_scope_info__*", NULL, AT(shared_name), false },
	{ "v8dbg_class_SharedFunctionInfo__script__*",
		"v8dbg_class_SharedFunctionInfo__script_or_debug_info__*", AT(shared_script),
		false },
	{ "v8dbg_type_SharedFunctionInfo__*", NULL, AT(shared_type), false },
	{ "v8dbg_FirstJSFunctionType", "v8dbg_type_JSFunction__*", AT(function_first), false },
	{ "v8dbg_LastJSFunctionType", NULL, AT(function_last), true },
	{ "v8dbg_FirstContextType", NULL, AT(context_first), false },
	{ "v8dbg_LastContextType", NULL, AT(context_last), false },
	{ "v8dbg_type_ScopeInfo__*", NULL, AT(layout.type_scope), false },
	{ "v8dbg_type_Script__*", NULL, AT(layout.type_script), false },
	{ "v8dbg_type_DebugInfo__*", NULL, AT(layout.type_debug), false },
	{ "v8dbg_FirstNonstringType", NULL, AT(layout.type_nonstring), false },
	{ "v8dbg_StringRepresentationMask", NULL, AT(layout.string_mask), false },
	{ "v8dbg_StringEncodingMask", NULL, AT(layout.string_encoding), false },
	{ "v8dbg_OneByteStringTag", NULL, AT(layout.string_one_byte), false },
	{ "v8dbg_SeqStringTag", NULL, AT(layout.string_seq), false },
	{ "v8dbg_ConsStringTag", NULL, AT(layout.string_cons), false },
	{ "v8dbg_ExternalStringTag", NULL, AT(layout.string_external), false },
	{ "v8dbg_SlicedStringTag", NULL, AT(layout.string_sliced), false },
	{ "v8dbg_ThinStringTag", NULL, AT(layout.string_thin), false },
	{ "v8dbg_class_String__length__*", NULL, AT(layout.string_length), false },
	{ "v8dbg_class_SeqOneByteString__chars__*", NULL, AT(layout.string_letters), false },
	{ "v8dbg_class_ConsString__first__*", NULL, AT(layout.cons_first), false },
	{ "v8dbg_class_ConsString__second__*", NULL, AT(layout.cons_second), false },
	{ "v8dbg_class_SlicedString__parent__*", NULL, AT(layout.sliced_parent), true },
	{ "v8dbg_class_SlicedString__offset__*", NULL, AT(layout.sliced_offset), true },
	{ "v8dbg_class_ThinString__actual__*", NULL, AT(layout.thin_actual), false },
	{ "v8dbg_class_ExternalString__resource__*", NULL, AT(layout.external_resource), true },
	{ "v8dbg_scopeinfo_idx_ncontextlocals", NULL, AT(layout.scope_locals), false },
	{ "v8dbg_scopeinfo_idx_first_vars", NULL, AT(layout.scope_first), false },
	{ "v8dbg_class_Script__name__*", NULL, AT(layout.script_name), false },
	{ "v8dbg_class_Script__source__*", NULL, AT(layout.script_source), false },
	{ "v8dbg_frametype_IrregexpFrame", NULL, AT(layout.kind_regexp), true },
	{ "v8dbg_frametype_WasmFrame", NULL, AT(layout.kind_wasm), true },
};

#define COUNT ARRAY_SIZE(constants)

/* Reads a value. Bytes that are not in the file are 0. */
static bool read_value(int fd, const struct elf_export *found, int *value)
{
	*value = 0;
	if (!found->address || found->size != sizeof(int))
		return false;
	return !found->offset ||
	       pread(fd, value, sizeof(*value), (off_t)found->offset) == sizeof(*value);
}

static bool read_constants(int fd, struct constants *c)
{
	const char *names[2 * COUNT];
	struct elf_export found[2 * COUNT];
	struct elf_exports exports = { .found = found };
	int value;

	for (size_t i = 0; i < COUNT; i++) {
		names[2 * i] = constants[i].name;
		names[2 * i + 1] = constants[i].other ? constants[i].other : "";
	}
	if (!elf_exports_find(fd, names, 2 * COUNT, &exports))
		return false;
	for (size_t i = 0; i < COUNT; i++) {
		bool is_known = read_value(fd, &found[2 * i], &value) ||
				(constants[i].other && read_value(fd, &found[2 * i + 1], &value));

		if (!is_known && !constants[i].is_optional)
			return false;
		if (!is_known)
			value = -1;
		memcpy((unsigned char *)c + constants[i].at, &value, sizeof(value));
	}
	return true;
}

static bool is_valid_offset(int offset)
{
	return offset >= 0 && offset < OFFSET_MAX;
}

static bool are_plain_constants(const struct constants *c)
{
	const struct v8_layout *l = &c->layout;

	return l->tag == 1 && l->tag_mask == 3 && l->tagged_bytes == WORD_BYTES &&
	       c->system_pointer == WORD_BYTES && l->smi_shift == 31 && l->smi_value_shift == 1 &&
	       l->scope_first >= SCOPE_INLINE_FIRST && l->scope_first < SCOPE_WORDS_MAX &&
	       l->scope_locals >= 0 && l->scope_locals < l->scope_first && c->fp_context < 0 &&
	       c->fp_context > -OFFSET_MAX && c->fp_function < c->fp_context &&
	       c->fp_function > -OFFSET_MAX && is_valid_offset(c->map_type) &&
	       is_valid_offset(c->function_shared) && is_valid_offset(c->shared_name) &&
	       is_valid_offset(c->shared_script) && is_valid_offset(l->script_name) &&
	       is_valid_offset(l->script_source) && is_valid_offset(l->string_length) &&
	       is_valid_offset(l->string_letters) && is_valid_offset(l->cons_first) &&
	       is_valid_offset(l->cons_second) && is_valid_offset(l->thin_actual);
}

enum v8_layout_status v8_layout_read(int fd, struct v8_layout *out)
{
	static const char *const names[] = { "v8dbg_HeapObjectTag" };
	struct elf_export found, builtins;
	struct elf_exports exports = { .found = &found };
	struct constants c;

	memset(&c, 0, sizeof(c));
	if (!elf_exports_find(fd, names, 1, &exports) || !found.address)
		return V8_LAYOUT_NONE;
	if (!read_constants(fd, &c) || !are_plain_constants(&c))
		return V8_LAYOUT_PARTIAL;
	*out = c.layout;
	out->shared = (struct profile_v8){ .fp_context = c.fp_context,
		.fp_function = c.fp_function,
		.map_type = (uint16_t)c.map_type,
		.function_shared = (uint16_t)c.function_shared,
		.shared_name = (uint16_t)c.shared_name,
		.shared_script = (uint16_t)c.shared_script,
		.function_first = (uint16_t)c.function_first,
		.function_last = (uint16_t)(c.function_last > 0 ? c.function_last
								: c.function_first + CONSTRUCTORS),
		.context_first = (uint16_t)c.context_first,
		.context_last = (uint16_t)c.context_last,
		.shared = (uint16_t)c.shared_type };
	if (elf_functions_range(fd, "Builtins_", &builtins)) {
		out->shared.builtins_from = builtins.offset;
		out->shared.builtins_to = builtins.offset + builtins.size;
	}
	return V8_LAYOUT_KNOWN;
}
