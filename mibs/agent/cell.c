/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversions of cell.h, one small function per kind. */
#include "mibs/agent/cell.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/text.h"

static void integer(struct cell *out, long value)
{
	out->value.integer = value;
	out->size = sizeof out->value.integer;
}

static void octets(struct cell *out, const void *bytes, size_t size)
{
	out->size = size < CELL_BYTES_MAX ? size : CELL_BYTES_MAX;
	memcpy(out->value.bytes, bytes, out->size);
}

void cell_text(struct cell *out, const char *text)
{
	octets(out, text, strlen(text));
}

void cell_time(struct cell *out, int64_t wall_ms)
{
	static const uint8_t never[8] = {0, 0, 1, 1, 0, 0, 0, 0};
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm t;

	if (wall_ms <= 0 || !gmtime_r(&seconds, &t) || t.tm_year > 65535 - 1900) {
		octets(out, never, sizeof never);
		return;
	}
	unsigned year = (unsigned)t.tm_year + 1900;
	uint8_t b[11] = {(uint8_t)(year >> 8), (uint8_t)year, (uint8_t)(t.tm_mon + 1), (uint8_t)t.tm_mday, (uint8_t)t.tm_hour,
			 (uint8_t)t.tm_min, (uint8_t)t.tm_sec, (uint8_t)(wall_ms % 1000 / 100), '+', 0, 0};
	octets(out, b, sizeof b);
}

const char *cell_decimal(double value, char *out, size_t size)
{
	if (!isfinite(value) || fabs(value) > 1e18 || !text_format(out, size, "%.3f", value)) {
		out[0] = '\0';
		return out;
	}
	size_t n = strlen(out);
	while (n && out[n - 1] == '0')
		n--;
	if (n && out[n - 1] == '.')
		n--;
	out[n] = '\0';
	if (!strcmp(out, "-0"))
		text_copy(out, size, "0");
	return out;
}

static long rounded(double value)
{
	if (isnan(value))
		return -1;
	if (value >= INT32_MAX)
		return INT32_MAX;
	if (value <= INT32_MIN)
		return INT32_MIN;
	return lround(value);
}

static void from_address(struct cell *out, const void *field, uint16_t port)
{
	struct address a;
	char text[ADDRESS_TEXT];

	memcpy(&a, field, sizeof a);
	cell_text(out, address_text(&a, port, text));
}

static void from_double(struct cell *out, double value, bool as_text)
{
	char text[32];

	if (as_text)
		cell_text(out, cell_decimal(value, text, sizeof text));
	else
		integer(out, rounded(value));
}

/* The field as an unsigned number; fields of 1, 2, 4 and 8 bytes occur. */
static uint64_t number(const void *field, size_t size)
{
	uint8_t b;
	uint16_t h;
	uint32_t w;
	uint64_t d;

	switch (size) {
	case 1:
		memcpy(&b, field, 1);
		return b;
	case 2:
		memcpy(&h, field, 2);
		return h;
	case 4:
		memcpy(&w, field, 4);
		return w;
	default:
		memcpy(&d, field, 8);
		return d;
	}
}

static long percent(int32_t x100)
{
	return x100 < 0 ? -1 : x100 > 10000 ? 100 : (x100 + 50) / 100;
}

static long share(double of_one)
{
	return isnan(of_one) ? -1 : of_one <= 0 ? 0 : of_one >= 1 ? 100 : lround(of_one * 100);
}

static void from_number(struct cell *out, enum cell_kind kind, uint64_t n)
{
	switch (kind) {
	case CELL_U8:
	case CELL_WORD:
		integer(out, n ? (long)n : 1);
		break;
	case CELL_TRUTH8:
	case CELL_TRUTH32:
	case CELL_TRUTH64:
		integer(out, n ? 1 : 2);
		break;
	case CELL_U64:
		out->value.wide.high = n >> 32;
		out->value.wide.low = n & UINT32_MAX;
		out->size = sizeof out->value.wide;
		break;
	case CELL_INDEX:
		integer(out, n == NO_SLOT ? 0 : (long)n + 1);
		break;
	case CELL_PERCENT:
		integer(out, percent((int32_t)(uint32_t)n));
		break;
	case CELL_HUNDREDTHS:
		integer(out, (int32_t)(uint32_t)n < 0 ? -1 : (long)n);
		break;
	default: /* plain numbers */
		integer(out, n > UINT32_MAX ? UINT32_MAX : (long)n);
	}
}

void cell_from(const struct mib_column *column, const void *field, struct cell *out)
{
	double d;

	out->asn = column->asn;
	switch (column->kind) {
	case CELL_TEXT:
		octets(out, field, strnlen(field, column->size));
		break;
	case CELL_TIME:
		cell_time(out, (int64_t)number(field, 8));
		break;
	case CELL_AGENT_ADDRESS:
		from_address(out, field, 161);
		break;
	case CELL_BMC_ADDRESS:
		from_address(out, field, 623);
		break;
	case CELL_ENDPOINT:
		from_address(out, field, 0);
		break;
	case CELL_SHARE:
		memcpy(&d, field, sizeof d);
		integer(out, share(d));
		break;
	case CELL_DECIMAL:
	case CELL_ROUNDED:
		memcpy(&d, field, sizeof d);
		from_double(out, d, column->kind == CELL_DECIMAL);
		break;
	case CELL_ACTIVE:
		integer(out, 1);
		break;
	default:
		from_number(out, (enum cell_kind)column->kind, number(field, column->size));
	}
}
