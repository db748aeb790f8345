/* SPDX-License-Identifier: BSD-2-Clause */
/* Unpacking with liblzma. The file belongs to the target: what it may take is bounded. */
#include "symbols/elf_packed.h"

#include <lzma.h>
#include <unistd.h>

#define MEMORY_MAX  (UINT64_C(256) << 20) /* of the decoder: its window */
#define PIECE_BYTES (256u << 10)

static bool decode(lzma_stream *stream, struct buffer *out)
{
	lzma_ret status = LZMA_OK;

	out->limit = ELF_PACKED_MAX;
	while (status == LZMA_OK) {
		stream->next_out = buffer_reserve(out, PIECE_BYTES);
		stream->avail_out = PIECE_BYTES;
		if (!stream->next_out)
			return false;
		status = lzma_code(stream, LZMA_FINISH);
		buffer_commit(out, PIECE_BYTES - stream->avail_out);
	}
	return status == LZMA_STREAM_END;
}

static bool unpack(const void *data, size_t size, struct buffer *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	bool is_whole;

	if (lzma_stream_decoder(&stream, MEMORY_MAX, 0) != LZMA_OK)
		return false;
	stream.next_in = data;
	stream.avail_in = size;
	is_whole = decode(&stream, out);
	lzma_end(&stream);
	return is_whole && !buffer_failed(out);
}

bool elf_unpack(int fd, const struct elf_section *section, struct buffer *out)
{
	struct buffer packed = { .limit = ELF_PACKED_MAX };
	unsigned char *to = buffer_reserve(&packed, section->size);
	ssize_t got = to ? pread(fd, to, section->size, (off_t)section->offset) : -1;
	bool is_whole = got > 0 && (uint64_t)got == section->size &&
			unpack(to, section->size, out);

	buffer_fini(&packed);
	return is_whole;
}
