/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/packer.h"

#include <errno.h>

#define GZIP_WINDOW (MAX_WBITS + 16) /* zlib(3): with a head as gzip writes it */
#define STEP_BYTES  (64u << 10)

int packer_open(struct packer *p, enum packing packing, FILE *to, const char *doing,
	struct sooth_error *err)
{
	p->to = to;
	p->doing = doing;
	if (packing == PACKING_GZIP &&
		deflateInit2(&p->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
			MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return error_no_memory(err);
	p->zstd = packing == PACKING_ZSTD ? ZSTD_createCCtx() : NULL;
	if (packing == PACKING_ZSTD && !p->zstd)
		return error_no_memory(err);
	p->packing = packing;
	return 0;
}

void packer_fini(struct packer *p)
{
	if (p->packing == PACKING_GZIP)
		deflateEnd(&p->gzip);
	ZSTD_freeCCtx(p->zstd);
	buffer_fini(&p->packed);
	*p = (struct packer){ 0 };
}

static bool pack_gzip(struct packer *p, const struct buffer *bytes, bool is_last)
{
	z_stream *z = &p->gzip;
	int status;

	if (bytes->size > UINT32_MAX)
		return false;
	z->next_in = bytes->data;
	z->avail_in = (uInt)bytes->size;
	do {
		z->next_out = buffer_reserve(&p->packed, STEP_BYTES);
		z->avail_out = STEP_BYTES;
		if (!z->next_out)
			return false;
		status = deflate(z, is_last ? Z_FINISH : Z_NO_FLUSH);
		buffer_commit(&p->packed, STEP_BYTES - z->avail_out);
	} while (status == Z_OK && !z->avail_out);
	return status == (is_last ? Z_STREAM_END : Z_OK) || status == Z_BUF_ERROR;
}

static bool pack_zstd(struct packer *p, const struct buffer *bytes, bool is_last)
{
	ZSTD_inBuffer from = { bytes->data, bytes->size, 0 };
	size_t left;

	do {
		ZSTD_outBuffer to = { buffer_reserve(&p->packed, STEP_BYTES), STEP_BYTES, 0 };

		if (!to.dst)
			return false;
		left = ZSTD_compressStream2(
			p->zstd, &to, &from, is_last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return false;
		buffer_commit(&p->packed, to.pos);
	} while (is_last ? left != 0 : from.pos < from.size);
	return true;
}

int packer_write(struct packer *p, struct buffer *bytes, bool is_last, struct sooth_error *err)
{
	const struct buffer *from = p->packing == PACKING_NONE ? bytes : &p->packed;
	bool is_packed = true;

	if (p->packing == PACKING_GZIP)
		is_packed = pack_gzip(p, bytes, is_last);
	else if (p->packing == PACKING_ZSTD)
		is_packed = pack_zstd(p, bytes, is_last);
	if (!is_packed || buffer_failed(bytes) || buffer_failed(&p->packed))
		return error_no_memory(err);
	if ((from->size && fwrite(from->data, 1, from->size, p->to) != from->size) ||
		(is_last && fflush(p->to)))
		return error_errno(err, -errno, "%s", p->doing);
	buffer_reset(bytes);
	buffer_reset(&p->packed);
	return 0;
}
