/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a name from a code block and a function. A frame has a name only if every object on the way
 * has the right type, the function and the code block have the same executable, and the address is
 * in the code of that block. No value of the program is read. */
#include "os/linux/runtimes/jsc/jsc_frame.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/utf8.h"
#include "symbols/bun.h"

#define CELL_BYTES     136 /* most bytes of any object that is read here */
#define CELL_TYPE      5
#define TIER_FTL       5 /* JITCode::tier */
#define TEXT_8_BIT     4 /* bit in the flags of a text */
#define TEXT_BYTES     24
#define URL_LETTERS    2048
#define CODE_BYTES_MAX (64u << 20) /* of one function */

/* CodeOrigin: the address of an InlineCallFrame between bits with other meanings. */
#define ORIGIN_ADDRESS	   0x0000fffffffffff8ULL
#define ORIGIN_OUT_OF_LINE 1 /* the address leads to another CodeOrigin */
#define ORIGIN_INVALID	   2
#define POOL_BYTES	   24 /* references, address of CodeOrigins, 4 bytes, their number */
#define INLINE_BLOCK	   8  /* InlineCallFrame: the block that the function has if not inlined */
#define INLINE_CALLER	   16 /* InlineCallFrame: the CodeOrigin of the call */

/* Objects of one frame. */
struct cell {
	unsigned char bytes[CELL_BYTES];
};

struct reading {
	const struct jsc_layout *layout;
	jsc_read read;
	void *user;
};

static uint64_t word_in(const struct cell *c, size_t offset)
{
	uint64_t word = 0;

	if (offset + sizeof(word) <= sizeof(c->bytes))
		memcpy(&word, c->bytes + offset, sizeof(word));
	return word;
}

static bool is_cell(uint64_t address)
{
	return address && !(address & 0xffff000000000007ULL);
}

static bool read_cell(const struct reading *r, uint64_t address, unsigned type, struct cell *out)
{
	return is_cell(address) && r->read(r->user, address, out->bytes, sizeof(out->bytes)) &&
	       out->bytes[CELL_TYPE] == type;
}

static bool read_word(const struct reading *r, uint64_t address, uint64_t *out)
{
	return r->read(r->user, address, out, sizeof(*out));
}

/* --- texts --- */

static bool put_letter(struct buffer *out, uint32_t letter)
{
	if (letter < 0x20 || (letter >= 0x7f && letter < 0xa0) ||
		(letter >= 0xd800 && letter < 0xe000))
		return false; /* no letter of a name: names outside the first plane are rare */
	utf8_append(out, letter);
	return true;
}

/* Appends a StringImpl as UTF-8. It has references, length, letters, flags. */
static bool read_text(const struct reading *r, uint64_t address, size_t most, struct buffer *out)
{
	unsigned char head[TEXT_BYTES], letters[2 * URL_LETTERS];
	uint32_t references, length, flags;
	uint64_t data;
	size_t wide;

	if (!is_cell(address) || !r->read(r->user, address, head, sizeof(head)))
		return false;
	memcpy(&references, head, sizeof(references));
	memcpy(&length, head + 4, sizeof(length));
	memcpy(&data, head + 8, sizeof(data));
	memcpy(&flags, head + 16, sizeof(flags));
	wide = flags & TEXT_8_BIT ? 1 : 2;
	if (!references || length > most || length > URL_LETTERS ||
		(length && !r->read(r->user, data, letters, length * wide)))
		return false;
	for (size_t i = 0; i < length; i++) {
		uint16_t letter = 0;

		memcpy(&letter, letters + i * wide, wide);
		if (!put_letter(out, letter))
			return false;
	}
	return true;
}

/* --- the place of a function in its module --- */

static bool read_url(const struct reading *r, const struct cell *executable, struct buffer *out)
{
	uint64_t provider = word_in(executable, r->layout->executable_provider), url;

	return is_cell(provider) && read_word(r, provider + r->layout->provider_url, &url) &&
	       read_text(r, url, URL_LETTERS, out);
}

/* Puts the last part of a module's path; a path inside an executable stays whole. Text that is no
 * path, such as code that the program passed to eval(), is left out. */
static void put_module(const struct buffer *url, struct buffer *out)
{
	struct span path = span_of((const char *)url->data, url->size);
	const char *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;

	if (!slash || span_starts(path, "data:") || span_starts(path, "blob:"))
		return;
	path = span_of(slash + 1, path.size - (size_t)(slash + 1 - path.data));
	if (path.size && path.size <= JSC_LETTERS_MAX && !memchr(path.data, '?', path.size))
		buffer_append(out, path.data, path.size);
}

static uint32_t start_of_source(const struct jsc_layout *l, const struct cell *unlinked)
{
	uint32_t word = (uint32_t)word_in(unlinked, l->unlinked_start) >> (l->start_shift & 31);

	return word & (uint32_t)((1ULL << (l->start_bits & 63)) - 1);
}

/* --- checks --- */

/* Reads the range of the block's code in its tier. */
static bool read_range(const struct reading *r, uint64_t code, uint8_t tier, struct jsc_frame *f)
{
	const struct jsc_layout *l = r->layout;
	uint64_t place, head[2];

	if (!read_word(r, code + (tier == TIER_FTL ? l->code_range_ftl : l->code_range), &place) ||
		!is_cell(place) || !r->read(r->user, place + l->range_at, head, sizeof(head)))
		return false;
	f->from = l->range_kind == JSC_RANGE_SIZE ? head[1] : head[0];
	f->to = l->range_kind == JSC_RANGE_SIZE ? head[1] + (head[0] >> 32) : head[1];
	return f->from < f->to && f->to - f->from <= CODE_BYTES_MAX;
}

static bool is_inside(const struct reading *r, const struct cell *block, struct jsc_frame *f)
{
	uint64_t code = word_in(block, r->layout->block_code);
	uint8_t tier;

	if (!is_cell(code) || !r->read(r->user, code + r->layout->code_tier, &tier, 1) ||
		tier < JSC_TIER_BASELINE || tier > TIER_FTL || !read_range(r, code, tier, f))
		return false;
	f->tier = tier;
	return f->pc >= f->from && f->pc < f->to;
}

static bool leads_to(const struct jsc_layout *l, const struct cell *callee, uint64_t executable,
	const struct reading *r)
{
	uint64_t word = word_in(callee, l->callee_executable);

	if (word & 1 && !read_word(r, (word & ~1ULL) + l->rare_executable, &word))
		return false;
	return word == executable;
}

/* Checks a function with a code block: reads all four objects, and checks that they belong
 * together. */
static enum jsc_refusal check_frame(const struct reading *r, struct jsc_frame *f,
	struct cell *executable, struct cell *unlinked)
{
	const struct jsc_layout *l = r->layout;
	uint64_t owner = f->raw.executable & ~(uint64_t)JSC_IS_PAIR, code;
	struct cell callee, block;

	if (!(f->raw.executable & JSC_IS_PAIR) ||
		(!f->is_placed && (!read_cell(r, f->raw.callee, l->type_function, &callee) ||
					  !leads_to(l, &callee, owner, r))) ||
		!read_cell(r, f->raw.block, l->type_block, &block) ||
		word_in(&block, l->block_owner) != owner ||
		!read_cell(r, owner, l->type_executable, executable) ||
		!read_cell(r, word_in(executable, l->executable_unlinked), l->type_unlinked,
			unlinked) ||
		word_in(unlinked, l->unlinked_name) != f->raw.name)
		return JSC_OTHER;
	if (f->pc)
		return is_inside(r, &block, f) ? JSC_NAMED : JSC_OUTSIDE;
	/* The engine drops unlinked code that was unused for long. In the interpreter it is in
	 * use. */
	code = word_in(&block, l->block_unlinked);
	return code && (code == word_in(unlinked, l->unlinked_code) ||
			       code == word_in(unlinked, l->unlinked_code + 8))
		       ? JSC_NAMED
		       : JSC_OTHER;
}

static void finish_frame(struct jsc_frame *f, struct buffer *text)
{
	f->size = buffer_failed(text) || text->size > sizeof(f->text) ? 0 : text->size;
	if (f->size)
		memcpy(f->text, text->data, f->size);
	f->refusal = f->size ? JSC_NAMED : JSC_NO_TEXT;
}

/* Stores the place of a text of a function without a name, if the text is in the executable. */
static void keep_place(struct jsc_frame *f, const struct buffer *url, uint32_t start)
{
	if (url->size >= sizeof(f->module) ||
		!span_starts(span_of((const char *)url->data, url->size), BUN_NAME_BEGIN))
		return;
	memcpy(f->module, url->data, url->size);
	f->module[url->size] = '\0';
	f->start = start;
}

/* Puts "FUNCTION\0PLACE\0" into `text`; false: the name is no text. */
static bool put_function(const struct reading *r, struct jsc_frame *f,
	const struct cell *executable, const struct cell *unlinked, struct buffer *text)
{
	uint64_t name = word_in(unlinked, r->layout->unlinked_name);
	struct buffer place = { 0 }, url = { 0 };
	uint32_t start = start_of_source(r->layout, unlinked);
	bool is_text = true, is_unnamed = !name;

	if (!read_url(r, executable, &url))
		buffer_reset(&url);
	put_module(&url, &place);
	if (place.size && r->layout->start_bits)
		buffer_format(&place, "+%u", (unsigned)start);
	else if (!place.size)
		buffer_string(&place, "JavaScriptCore");
	/* A program that runs from cached bytecode has no text object for a name until the name is
	 * needed. */
	if (!name)
		buffer_format(text, "[function %s]", buffer_cstr(&place));
	else if (!read_text(r, name, JSC_LETTERS_MAX, text))
		is_text = false;
	else if ((is_unnamed = !text->size))
		buffer_format(text, "[anonymous %s]", buffer_cstr(&place));
	if (is_unnamed && r->layout->start_bits)
		keep_place(f, &url, start);
	buffer_char(text, '\0');
	buffer_append(text, place.data, place.size);
	buffer_char(text, '\0');
	buffer_fini(&url);
	buffer_fini(&place);
	return is_text;
}

static void read_function(const struct reading *r, struct jsc_frame *f)
{
	struct cell executable, unlinked, again[2];
	struct buffer text = { 0 };

	f->refusal = check_frame(r, f, &executable, &unlinked);
	if (!f->refusal && !put_function(r, f, &executable, &unlinked, &text))
		f->refusal = JSC_NO_TEXT;
	/* The text was read last: it belongs to the function if the same function is still
	 * there. */
	if (!f->refusal && (f->refusal = check_frame(r, f, &again[0], &again[1])) == JSC_NAMED)
		finish_frame(f, &text);
	buffer_fini(&text);
}

/* --- functions that were compiled into another one --- */

/* Reads the InlineCallFrame of a CodeOrigin; 0: there is none. */
static bool read_origin(const struct reading *r, uint64_t origin, uint64_t *frame)
{
	*frame = origin & ORIGIN_ADDRESS;
	if (origin & ORIGIN_INVALID)
		return false;
	if (!(origin & ORIGIN_OUT_OF_LINE))
		return true;
	return read_word(r, *frame, frame) && !(*frame & ~ORIGIN_ADDRESS);
}

/* Reads the place of the call in which the block is. */
static bool read_call(const struct reading *r, const struct jsc_frame *f, uint64_t *origin)
{
	const struct jsc_layout *l = r->layout;
	uint64_t code, pool, data;
	unsigned char head[POOL_BYTES];
	uint32_t count;

	if (!read_word(r, f->raw.block + l->block_code, &code) ||
		!read_word(r, code + (f->tier == TIER_FTL ? l->origins_ftl : l->origins), &pool) ||
		!is_cell(pool) || !r->read(r->user, pool, head, sizeof(head)))
		return false;
	memcpy(&data, head + 8, sizeof(data));
	memcpy(&count, head + 20, sizeof(count));
	return is_cell(data) && f->raw.of.detail < count &&
	       read_word(r, data + (uint64_t)f->raw.of.detail * sizeof(*origin), origin);
}

/* Finds the inlined function number frame->depth around the call, counted from the innermost. */
static enum jsc_refusal find_inlined(const struct reading *r, const struct jsc_frame *f,
	struct cell *executable, struct cell *unlinked)
{
	const struct jsc_layout *l = r->layout;
	uint64_t origin, frame = 0, block = 0, code;
	struct cell cell;

	if (!read_call(r, f, &origin))
		return JSC_OTHER;
	for (unsigned depth = 0; depth < f->depth; depth++) {
		if (!read_origin(r, origin, &frame))
			return JSC_OTHER;
		if (!frame)
			return JSC_STUB;
		if (!read_word(r, frame + INLINE_BLOCK, &block) ||
			!read_word(r, frame + INLINE_CALLER, &origin))
			return JSC_OTHER;
	}
	if (!read_cell(r, block, l->type_block, &cell))
		return JSC_OTHER;
	code = word_in(&cell, l->block_unlinked);
	if (!read_cell(r, word_in(&cell, l->block_owner), l->type_executable, executable) ||
		!read_cell(r, word_in(executable, l->executable_unlinked), l->type_unlinked,
			unlinked) ||
		!code ||
		(code != word_in(unlinked, l->unlinked_code) &&
			code != word_in(unlinked, l->unlinked_code + 8)))
		return JSC_OTHER;
	return JSC_NAMED;
}

static void read_inlined(const struct reading *r, struct jsc_frame *f)
{
	struct cell executable, unlinked, own[2];
	struct buffer text = { 0 };

	f->refusal = check_frame(r, f, &own[0], &own[1]);
	if (!f->refusal && (!f->pc || f->tier <= JSC_TIER_BASELINE || !r->layout->origins))
		f->refusal = JSC_STUB;
	if (!f->refusal)
		f->refusal = find_inlined(r, f, &executable, &unlinked);
	if (!f->refusal && !put_function(r, f, &executable, &unlinked, &text))
		f->refusal = JSC_NO_TEXT;
	if (!f->refusal && (f->refusal = check_frame(r, f, &own[0], &own[1])) == JSC_NAMED)
		finish_frame(f, &text);
	buffer_fini(&text);
}

/* Reads code outside of functions: its callee is no function, so only the block leads to its
 * module. */
static void read_global(const struct reading *r, struct jsc_frame *f)
{
	static const char *const kinds[] = { "program", "module", "eval" };
	const struct jsc_layout *l = r->layout;
	struct buffer text = { 0 }, place = { 0 }, url = { 0 };
	struct cell block, executable;
	unsigned kind;

	f->refusal = JSC_OTHER;
	if (!read_cell(r, f->raw.block, l->type_block, &block) ||
		word_in(&block, l->block_owner) != f->raw.executable ||
		!is_cell(f->raw.executable) ||
		!r->read(r->user, f->raw.executable, executable.bytes, sizeof(executable.bytes)))
		return;
	kind = executable.bytes[CELL_TYPE] - l->type_native - 1u;
	if (kind >= ARRAY_SIZE(kinds))
		return;
	if (f->pc && !is_inside(r, &block, f)) {
		f->refusal = JSC_OUTSIDE;
		return;
	}
	if (read_url(r, &executable, &url))
		put_module(&url, &place);
	buffer_format(&text, place.size ? "[%s %s]" : "[%s]", kinds[kind], buffer_cstr(&place));
	buffer_char(&text, '\0');
	buffer_string(&text, place.size ? buffer_cstr(&place) : "JavaScriptCore");
	buffer_char(&text, '\0');
	finish_frame(f, &text);
	buffer_fini(&text);
	buffer_fini(&place);
	buffer_fini(&url);
}

/* Reads a function of the engine or its host. It has no code block, and its code is shared, so only
 * the frame of a call in progress leads to it. */
static void read_native(const struct reading *r, struct jsc_frame *f)
{
	const struct jsc_layout *l = r->layout;
	struct cell callee, executable;
	struct buffer text = { 0 };

	f->refusal = JSC_STUB;
	if (f->is_top || f->raw.executable & JSC_IS_PAIR || !f->raw.executable ||
		!read_cell(r, f->raw.callee, l->type_function, &callee) ||
		!leads_to(l, &callee, f->raw.executable, r) ||
		!read_cell(r, f->raw.executable, l->type_native, &executable) ||
		word_in(&executable, l->native_name) != f->raw.name)
		return;
	f->refusal = JSC_NO_TEXT;
	if (!f->raw.name || read_text(r, f->raw.name, JSC_LETTERS_MAX, &text)) {
		/* Functions that the engine makes for itself, such as both ends of a promise, have
		 * no name. */
		if (!text.size)
			buffer_string(&text, "[host function]");
		buffer_char(&text, '\0');
		buffer_string(&text, "JavaScriptCore");
		buffer_char(&text, '\0');
		finish_frame(f, &text);
	}
	buffer_fini(&text);
}

void jsc_frame_follow(
	struct profile_raw_js *raw, const struct jsc_layout *layout, jsc_read read, void *user)
{
	const struct reading r = { layout, read, user };
	uint64_t executable = 0, owner = 0, unlinked;
	struct cell callee;

	raw->executable = raw->name = 0;
	if (read_cell(&r, raw->callee, layout->type_function, &callee)) {
		executable = word_in(&callee, layout->callee_executable);
		if (executable & 1 &&
			!read_word(&r, (executable & ~1ULL) + layout->rare_executable, &executable))
			executable = 0;
	}
	if (is_cell(raw->block) && !read_word(&r, raw->block + layout->block_owner, &owner))
		owner = 0;
	if (owner && read_word(&r, owner + layout->executable_unlinked, &unlinked))
		read_word(&r, unlinked + layout->unlinked_name, &raw->name);
	else if (!owner && executable)
		read_word(&r, executable + layout->native_name, &raw->name);
	raw->executable =
		(owner ? owner : executable) | (owner && owner == executable ? JSC_IS_PAIR : 0);
}

void jsc_frame_read(struct jsc_frame *f, jsc_read read, void *user)
{
	const struct reading r = { &f->layout, read, user };
	uint64_t head;

	f->size = 0;
	f->from = f->to = 0;
	f->tier = 0;
	f->module[0] = '\0';
	f->refusal = JSC_STUB;
	if (f->is_placed) {
		struct cell executable, unlinked;

		f->refusal = check_frame(&r, f, &executable, &unlinked);
		return;
	}
	if (!is_cell(f->raw.callee))
		return;
	if (!read_word(&r, f->raw.callee, &head))
		f->refusal = JSC_UNREAD;
	else if (f->depth)
		read_inlined(&r, f);
	else if (!f->raw.block)
		read_native(&r, f);
	else if ((head >> 8 * CELL_TYPE & 0xff) == f->layout.type_function)
		read_function(&r, f);
	else
		read_global(&r, f);
}
