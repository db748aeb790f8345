/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a name from a shared function, by the description of its scope. A frame has a name only if
 * every object on the way has the right type, all members of the scope are as its flags say, and
 * the objects are the same afterwards. No value of the program is read. */
#include "os/linux/runtimes/v8/v8_frame.h"

#include <string.h>

#include "base/buffer.h"
#include "symbols/instruction.h"

#define WORD	       8
#define LOCALS_MAX     (1 << 16)
#define LOCALS_INLINE  75 /* if there are more names of variables, they are in a separate table */
#define HAS_CLASS      (1u << 10) /* bit in the flags of a scope: the same since 10.2 */
#define HAS_FUNCTION   (3u << 12)
#define HAS_INFERRED   (1u << 14)
#define HAS_OUTER      (1u << 22)
#define POSITION_WORDS 2

/* --- the code at the interrupted instruction --- */

#define CODE_BYTES	 160 /* bytes around the interrupted instruction */
#define INSTRUCTIONS_MAX 40
#define BYTECODE_BYTES	 10 /* of movabs */
#if defined(__x86_64__)
#define IS_KNOWN_CODE true
#else
#define IS_KNOWN_CODE false /* interrupted frames stay without a name */
#endif

static bool code_begins(const unsigned char *code, size_t left, const char *bytes, size_t size)
{
	return left >= size && !memcmp(code, bytes, size);
}

/* Decides by one instruction whether the frame exists: a function makes its frame before it calls
 * anything, and leaves it just before it returns. 1: it exists; 0: it is made or left here; -1: not
 * decided. */
static int decide_by_instruction(const unsigned char *code, size_t left)
{
	if (code_begins(code, left, "\x55", 1) || code_begins(code, left, "\x48\x89\xe5", 3))
		return 0; /* push %rbp; mov %rsp, %rbp */
	if (code_begins(code, left, "\x5d", 1) || code_begins(code, left, "\xc9", 1) ||
		code_begins(code, left, "\x48\x8b\xe5", 3) ||
		code_begins(code, left, "\x48\x89\xec", 3))
		return 1; /* pop %rbp; leave; mov %rbp, %rsp */
	return -1;
}

/* Returns whether a call is Sparkplug's call to make the frame, with the function's bytecode in
 * %r12. */
static bool is_prologue(const unsigned char *call)
{
	return code_begins(call - BYTECODE_BYTES, BYTECODE_BYTES, "\x49\xbc", 2);
}

/* Returns whether code has a frame, from byte BYTECODE_BYTES on; the bytes before it are read
 * too. */
static bool is_framed_code(const unsigned char *code, size_t size)
{
	size_t at = BYTECODE_BYTES;

	for (int i = 0; i < INSTRUCTIONS_MAX && at < size; i++) {
		int decided = decide_by_instruction(code + at, size - at);
		struct instruction next;

		if (decided >= 0)
			return decided;
		if (!instruction_decode(MACHINE_X86_64, code + at, size - at, &next))
			return true;
		if (next.kind == INSTRUCTION_RETURN)
			return false;
		if (next.kind == INSTRUCTION_CALL || next.kind == INSTRUCTION_CALL_INDIRECT)
			return !is_prologue(code + at);
		if (!instruction_falls_through(&next))
			return true;
		at += next.length;
	}
	return false; /* not known */
}

bool v8_is_framed(v8_read read, void *user, uint64_t pc)
{
	unsigned char code[CODE_BYTES];
	size_t size = IS_KNOWN_CODE ? CODE_BYTES : 0;

	/* Near the end of a mapping fewer bytes can be read. */
	while (size && !read(user, pc - BYTECODE_BYTES, code, size))
		size /= 2;
	return size > BYTECODE_BYTES && is_framed_code(code, size);
}

/* --- scopes --- */

struct scope {
	uint64_t name; /* a string; 0: none */
	uint32_t begin;
};

struct members {
	const struct v8_memory *memory;
	uint64_t object;
	size_t at; /* index of the next member */
};

static uint64_t next_word(struct members *m)
{
	uint64_t word = v8_word(m->memory, m->object, m->at);

	m->at += WORD;
	return word;
}

static bool read_positions(struct members *m, uint32_t *begin)
{
	uint64_t from = next_word(m), to = next_word(m);

	if (!v8_is_small(from) || !v8_is_small(to) || v8_small(from) < -1 ||
		v8_small(to) < v8_small(from))
		return false;
	*begin = v8_small(from) < 0 ? 0 : (uint32_t)v8_small(from);
	return true;
}

static bool is_empty_string(const struct v8_memory *m, uint64_t string)
{
	return !(uint32_t)v8_word(m, string, (size_t)m->layout->string_length);
}

/* Reads the given name and the inferred name; both may be missing. */
static bool read_names(struct members *m, uint32_t flags, struct scope *out)
{
	uint64_t word;

	if (flags & HAS_CLASS)
		next_word(m);
	if (flags & HAS_FUNCTION) {
		word = next_word(m);
		if (word && !v8_is_string(m->memory, word))
			return false;
		out->name = word && !is_empty_string(m->memory, word) ? word : 0;
		if (!v8_is_small(next_word(m)))
			return false;
	}
	if (flags & HAS_INFERRED) {
		word = next_word(m);
		if (!v8_is_object(m->memory, word))
			return false;
		if (!out->name && v8_is_string(m->memory, word) &&
			!is_empty_string(m->memory, word))
			out->name = word;
	}
	return true;
}

/* Reads a scope. Newer versions have the positions before the variables, and 32-bit flags. */
static bool read_scope(const struct v8_memory *m, uint64_t object, struct scope *out)
{
	const struct v8_layout *l = m->layout;
	bool has_positions_first = l->scope_first >= l->scope_locals + 1 + POSITION_WORDS;
	struct members at = { m, object, WORD * (1 + (size_t)l->scope_first) };
	uint64_t flags = v8_word(m, object, WORD);
	uint64_t locals = v8_word(m, object, WORD * (1 + (size_t)l->scope_locals));
	size_t count = (size_t)v8_small(locals);

	*out = (struct scope){ 0 };
	flags = flags & UINT32_MAX ? flags & UINT32_MAX : flags >> 32;
	if (!v8_is_small(locals) || count > LOCALS_MAX)
		return false;
	if (has_positions_first) {
		at.at -= WORD * POSITION_WORDS;
		if (!read_positions(&at, &out->begin))
			return false;
	}
	if (count && count < LOCALS_INLINE && !v8_is_string(m, v8_word(m, object, at.at)))
		return false;
	at.at += WORD * (count + (count < LOCALS_INLINE ? count : 1));
	if (!read_names(&at, (uint32_t)flags, out) ||
		(!has_positions_first && !read_positions(&at, &out->begin)))
		return false;
	return !(flags & HAS_OUTER) || v8_type(m, next_word(&at)) == l->type_scope;
}

/* --- functions --- */

static bool is_same_function(const struct v8_memory *m, const struct profile_raw_js *raw)
{
	const struct profile_v8 *s = &m->layout->shared;

	return v8_type(m, raw->executable) == s->shared &&
	       v8_word(m, raw->executable, s->shared_name) == raw->name &&
	       v8_word(m, raw->executable, s->shared_script) == raw->callee;
}

/* Puts the script. A function that is being debugged has another object in its place. */
static void put_script(const struct v8_memory *m, struct v8_frame *f, struct buffer *text)
{
	uint64_t script = f->raw.callee, name;
	size_t before = text->size;

	if (v8_type(m, script) != m->layout->type_script)
		return;
	name = v8_word(m, script, (size_t)m->layout->script_name);
	f->source = v8_word(m, script, (size_t)m->layout->script_source);
	if (v8_is_string(m, name) && !v8_text(m, name, text))
		text->size = before;
}

static void finish_frame(struct v8_frame *f, struct buffer *text)
{
	buffer_char(text, '\0');
	f->size = buffer_failed(text) || text->size > sizeof(f->text) ? 0 : text->size;
	if (f->size)
		memcpy(f->text, text->data, f->size);
	f->refusal = f->size ? V8_NAMED : V8_NO_TEXT;
}

static void read_kind(struct v8_frame *f)
{
	struct buffer text = { 0 };
	uint64_t kind = f->raw.callee;

	if (f->layout.kind_regexp > 0 && kind == (uint64_t)f->layout.kind_regexp)
		buffer_string(&text, "[regular expression]");
	else if (f->layout.kind_wasm > 0 && kind == (uint64_t)f->layout.kind_wasm)
		buffer_string(&text, "[WebAssembly]");
	f->refusal = V8_ENGINE;
	if (text.size) {
		buffer_char(&text, '\0');
		finish_frame(f, &text);
	}
	buffer_fini(&text);
}

static void read_function(const struct v8_memory *m, struct v8_frame *f)
{
	struct buffer text = { 0 };
	struct scope scope;

	f->refusal = V8_OTHER;
	if (!read_scope(m, f->raw.name, &scope))
		return;
	f->refusal = V8_NO_TEXT;
	if (!scope.name || v8_text(m, scope.name, &text)) {
		buffer_char(&text, '\0');
		put_script(m, f, &text);
		f->position = scope.begin;
		f->refusal = V8_OTHER;
		/* The text was read last: it belongs to the function if the same function is still
		 * there. */
		if (is_same_function(m, &f->raw))
			finish_frame(f, &text);
	}
	buffer_fini(&text);
}

void v8_frame_read(struct v8_frame *f, v8_read read, void *user)
{
	const struct v8_memory m = { &f->layout, read, user };
	int type;
	uint64_t head;

	f->size = 0;
	f->source = 0;
	f->position = 0;
	if (f->raw.of.detail & V8_IS_KIND) {
		read_kind(f);
		return;
	}
	f->refusal = V8_UNREAD;
	if (!read(user, f->raw.executable - (uint64_t)f->layout.tag, &head, sizeof(head)))
		return;
	f->refusal = V8_OTHER;
	if (!is_same_function(&m, &f->raw))
		return;
	type = v8_type(&m, f->raw.name);
	/* A compiled function has a scope. */
	if (type >= 0 && type < f->layout.type_nonstring)
		f->refusal = V8_ENGINE;
	else if (v8_is_small(f->raw.name))
		f->refusal = V8_ENGINE;
	else if (type == f->layout.type_scope)
		read_function(&m, f);
}
