/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histograms with logarithmic buckets; see sketch.h. */
#include "monitor/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DROPPED 20            /* of a float's mantissa: three bits stay, eight buckets a power of two */
#define ZERO 0x1p-20f
#define BUCKETS (255u << 3)   /* one past the last bucket of finite values */
#define ALIGN 8u              /* the window grows by as many */

static uint16_t bucket_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	return (uint16_t)(bits >> DROPPED);
}

static float bound_of(uint32_t bucket)
{
	uint32_t bits = bucket << DROPPED;
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* Makes the window reach from `low` to before `end`, aligned, and no wider than it may be: then its upper part is what is kept. */
static void cover(struct sketch *s, uint32_t low, uint32_t end)
{
	uint32_t old_end = s->low + (uint32_t)s->width;

	if (s->width && low > s->low)
		low = s->low;
	if (s->width && end < old_end)
		end = old_end;
	low = low / ALIGN * ALIGN;
	end = (end + ALIGN - 1) / ALIGN * ALIGN;
	if (end - low > SKETCH_WIDTH)
		low = end - SKETCH_WIDTH;
	if (s->width && low == s->low && end == old_end)
		return;
	uint32_t *counts = mem_array(end - low, sizeof *counts);
	for (uint32_t i = 0; i < s->width; i++) {
		uint32_t bucket = s->low + i;
		counts[bucket < low ? 0 : bucket - low] += s->counts[i];
	}
	free(s->counts);
	s->counts = counts;
	s->low = (uint16_t)low;
	s->width = (uint16_t)(end - low);
}

static void count_in(struct sketch *s, uint32_t bucket, uint32_t times)
{
	if (bucket < s->low || bucket >= s->low + (uint32_t)s->width)
		cover(s, bucket, bucket + 1);
	s->counts[bucket < s->low ? 0 : bucket - s->low] += times;
}

void sketch_add(struct sketch *s, double value)
{
	float v = (float)value;

	if (!isfinite(v))
		return;
	if (v < ZERO)
		v = 0;
	if (s->count == 0 || v < s->least)
		s->least = v;
	if (s->count == 0 || v > s->most)
		s->most = v;
	s->count++;
	s->sum += v;
	if (v > 0)
		count_in(s, bucket_of(v), 1);
	else
		s->zeros++;
}

void sketch_merge(struct sketch *into, const struct sketch *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0 || from->least < into->least)
		into->least = from->least;
	if (into->count == 0 || from->most > into->most)
		into->most = from->most;
	into->count += from->count;
	into->zeros += from->zeros;
	into->sum += from->sum;
	if (from->width)
		cover(into, from->low, from->low + (uint32_t)from->width);
	for (uint32_t i = 0; i < from->width; i++)
		if (from->counts[i])
			count_in(into, from->low + i, from->counts[i]);
}

static double clamped(const struct sketch *s, double value)
{
	return value < (double)s->least ? (double)s->least : value > (double)s->most ? (double)s->most : value;
}

double sketch_quantile(const struct sketch *s, double q)
{
	double rank = q * (s->count - 1.0), below = s->zeros;

	if (s->count == 0)
		return NAN;
	if (q >= 1)
		return (double)s->most;
	if (rank < below)
		return clamped(s, 0);
	for (uint32_t i = 0; i < s->width; i++) {
		double n = s->counts[i];
		if (rank < below + n) {
			double from = (double)bound_of(s->low + i), to = (double)bound_of(s->low + i + 1);
			return clamped(s, from + (to - from) * (rank - below + 0.5) / n);
		}
		below += n;
	}
	return (double)s->most;
}

double sketch_mean(const struct sketch *s)
{
	return s->count ? s->sum / s->count : NAN;
}

void sketch_free(struct sketch *s)
{
	free(s->counts);
	*s = (struct sketch){0};
}

/* --- bytes --------------------------------------------------------------------------------------------- */
size_t varint_put(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 127; value >>= 7)
		out[n++] = (uint8_t)(value | 128);
	out[n++] = (uint8_t)value;
	return n;
}

bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;
		*value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return true;
	}
	return false;
}

static size_t put_float(uint8_t *out, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(bits >> 8 * i);
	return 4;
}

static bool get_float(const uint8_t **at, const uint8_t *end, float *value)
{
	uint32_t bits = 0;

	if (end - *at < 4)
		return false;
	for (int i = 0; i < 4; i++)
		bits |= (uint32_t)*(*at)++ << 8 * i;
	memcpy(value, &bits, sizeof *value);
	return isfinite(*value) && *value >= 0;
}

size_t sketch_pack(const struct sketch *s, uint8_t *out)
{
	uint32_t first = 0, end = s->width;
	size_t n = varint_put(out, s->count);

	if (s->count == 0)
		return n;
	while (first < end && !s->counts[first])
		first++;
	while (end > first && !s->counts[end - 1])
		end--;
	n += put_float(out + n, s->least);
	n += put_float(out + n, s->most);
	n += put_float(out + n, (float)(s->sum / s->count));
	n += varint_put(out + n, s->zeros);
	n += varint_put(out + n, s->low + first);
	n += varint_put(out + n, end - first);
	for (uint32_t i = first; i < end; i++)
		n += varint_put(out + n, s->counts[i]);
	return n;
}

static bool read_counts(struct sketch *s, uint64_t low, uint64_t width, const uint8_t **at, const uint8_t *end)
{
	uint64_t counted = s->zeros, n;

	if (width > SKETCH_WIDTH || low + width > BUCKETS)
		return false;
	if (width)
		cover(s, (uint32_t)low, (uint32_t)(low + width));
	for (uint64_t i = 0; i < width; i++) {
		if (!varint_get(at, end, &n) || n > UINT32_MAX)
			return false;
		counted += n;
		if (n)
			count_in(s, (uint32_t)(low + i), (uint32_t)n);
	}
	return counted == s->count;
}

bool sketch_unpack(struct sketch *s, const uint8_t **at, const uint8_t *end)
{
	uint64_t count, zeros, low, width;
	float mean;

	if (!varint_get(at, end, &count) || count > UINT32_MAX)
		return false;
	if (count == 0)
		return true;
	s->count = (uint32_t)count;
	if (get_float(at, end, &s->least) && get_float(at, end, &s->most) && get_float(at, end, &mean) && s->least <= s->most &&
	    varint_get(at, end, &zeros) && zeros <= count && varint_get(at, end, &low) && low < BUCKETS && varint_get(at, end, &width)) {
		s->zeros = (uint32_t)zeros;
		s->sum = (double)mean * (double)count;
		if (read_counts(s, low, width, at, end))
			return true;
	}
	sketch_free(s);
	return false;
}
