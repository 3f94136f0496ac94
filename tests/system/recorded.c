/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Serves a recorded walk (snmprec: OID|TYPE|VALUE) as an SNMPv2c agent: GET, GETNEXT, GETBULK, any community. Called by
 * tests/system/collector.sh. usage: recorded ADDRESS:PORT FILE */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "mibs/snmp/ber.h"

enum { NAME_MAX_ = 64, BULK_MAX = 25 };

struct record {
	uint32_t name[NAME_MAX_];
	size_t length;
	int type;
	uint8_t *value; /* content bytes */
	size_t size;
};

static struct record *records;
static size_t record_count;

static size_t parse_oid(const char *text, uint32_t *out)
{
	size_t n = 0;

	while (*text && n < NAME_MAX_) {
		char *end;
		out[n++] = (uint32_t)strtoul(text, &end, 10);
		text = *end == '.' ? end + 1 : end;
		if (end == text && *end)
			break;
	}
	return n;
}

static size_t oid_bytes(const uint32_t *oid, size_t length, uint8_t *out)
{
	size_t n = 0;

	out[n++] = (uint8_t)(oid[0] * 40 + oid[1]);
	for (size_t i = 2; i < length; i++) {
		for (int shift = 28; shift > 0; shift -= 7)
			if (oid[i] >> shift)
				out[n++] = (uint8_t)(0x80 | (oid[i] >> shift & 0x7f));
		out[n++] = oid[i] & 0x7f;
	}
	return n;
}

static size_t number_bytes(const char *text, uint8_t *out, bool is_signed)
{
	uint8_t room[16];
	struct ber_out w = {room, room + sizeof room, false};
	long long value = is_signed ? strtoll(text, NULL, 10) : (long long)strtoull(text, NULL, 10);

	if (!is_signed && value < 0) { /* nine bytes */
		out[0] = 0;
		for (int i = 0; i < 8; i++)
			out[1 + i] = (uint8_t)((unsigned long long)value >> (56 - 8 * i));
		return 9;
	}
	ber_put_integer(&w, value);
	size_t size = (size_t)(room + sizeof room - w.at) - 2;
	memcpy(out, w.at + 2, size);
	return size;
}

static void take_value(struct record *r, const char *type, const char *text)
{
	uint8_t bytes[1024];
	uint32_t oid[NAME_MAX_];
	size_t n = 0;

	r->type = (int)strtoul(type, NULL, 10);
	if (strchr(type, 'x')) {
		unsigned byte;
		for (; n < sizeof bytes && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
			bytes[n] = (uint8_t)byte;
	} else if (r->type == BER_OID) {
		n = oid_bytes(oid, parse_oid(text, oid), bytes);
	} else if (r->type == BER_IP_ADDRESS) {
		unsigned b[4] = {0};
		sscanf(text, "%u.%u.%u.%u", b, b + 1, b + 2, b + 3);
		for (; n < 4; n++)
			bytes[n] = (uint8_t)b[n];
	} else if (r->type == BER_OCTETS || r->type == BER_OPAQUE) {
		n = strnlen(text, sizeof bytes);
		memcpy(bytes, text, n);
	} else if (r->type != BER_NULL) {
		n = number_bytes(text, bytes, r->type == BER_INTEGER);
	}
	r->value = mem_zalloc(n + 1);
	memcpy(r->value, bytes, n);
	r->size = n;
}

static int compare(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	for (size_t i = 0; i < a->length && i < b->length; i++)
		if (a->name[i] != b->name[i])
			return a->name[i] < b->name[i] ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}

static void load(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[8192];

	if (!f) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof line, f)) {
		char *type = strchr(line, '|'), *value = type ? strchr(type + 1, '|') : NULL;
		if (!value)
			continue;
		*type++ = *value++ = 0;
		value[strcspn(value, "\r\n")] = 0;
		records = mem_grow(records, record_count + 1, sizeof *records);
		struct record *r = &records[record_count++];
		memset(r, 0, sizeof *r);
		r->length = parse_oid(line, r->name);
		take_value(r, type, value);
	}
	fclose(f);
	qsort(records, record_count, sizeof *records, compare);
}

/* The record at (exact) or behind the name; NULL = none. */
static const struct record *find(const struct record *key, bool exact)
{
	size_t low = 0, high = record_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(&records[middle], key);
		if (order < 0 || (order == 0 && !exact))
			low = middle + 1;
		else
			high = middle;
	}
	return low < record_count && (!exact || compare(&records[low], key) == 0) ? &records[low] : NULL;
}

struct cell {
	struct record name;
	const struct record *found;
	uint8_t exception;
};

/* The clock of a living agent moves: sysUpTime goes on from what was recorded. */
static bool put_uptime(struct ber_out *out, const struct record *r)
{
	static const uint32_t uptime[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
	static int64_t begun_ms;
	int64_t value = 0, now = clock_mono_ms();

	if (r->length != COUNT_OF(uptime) || memcmp(r->name, uptime, sizeof uptime) != 0)
		return false;
	if (!begun_ms)
		begun_ms = now;
	for (size_t i = 0; i < r->size; i++)
		value = value << 8 | r->value[i];
	ber_put_integer(out, value + (now - begun_ms) / 10);
	return true;
}

static void put_cell(struct ber_out *out, const struct cell *c)
{
	uint8_t *mark = out->at, bytes[NAME_MAX_ * 5];
	const struct record *name = c->found ? c->found : &c->name;

	if (c->found && put_uptime(out, c->found)) {
		*out->at = (uint8_t)c->found->type; /* a number is written alike, whatever it is called */
	} else if (c->found) {
		ber_put(out, c->found->value, c->found->size);
		ber_put_header(out, (uint8_t)c->found->type, mark);
	} else {
		ber_put_header(out, c->exception, mark);
	}
	uint8_t *before = out->at;
	ber_put(out, bytes, oid_bytes(name->name, name->length, bytes));
	ber_put_header(out, BER_OID, before);
	ber_put_header(out, BER_SEQUENCE, mark);
}

static size_t answer(struct ber_out *out, struct ber community, int64_t id, const struct cell *cells, size_t count)
{
	uint8_t *end = out->at;

	while (count--)
		put_cell(out, &cells[count]);
	ber_put_header(out, BER_SEQUENCE, end);
	ber_put_integer(out, 0);
	ber_put_integer(out, 0);
	ber_put_integer(out, id);
	ber_put_header(out, BER_RESPONSE, end);
	ber_put_octets(out, community.at, ber_left(&community));
	ber_put_integer(out, 1);
	ber_put_header(out, BER_SEQUENCE, end);
	return out->full ? 0 : (size_t)(end - out->at);
}

static size_t serve(struct ber in, uint8_t *room, size_t size, uint8_t **start)
{
	struct ber message, community, pdu, list, varbind, name;
	struct cell cells[128] = {{{{0}, 0, 0, NULL, 0}, NULL, 0}};
	struct ber_out out = {room, room + size, false};
	int64_t version, id, a, b;
	size_t count = 0;
	uint8_t type;

	if (!ber_take(&in, BER_SEQUENCE, &message) || !ber_integer_in(&message, 1, 1, &version) ||
	    !ber_take(&message, BER_OCTETS, &community) || !ber_any(&message, &type, &pdu) || !ber_integer(&pdu, &id) ||
	    !ber_integer(&pdu, &a) || !ber_integer(&pdu, &b) || !ber_take(&pdu, BER_SEQUENCE, &list))
		return 0;
	size_t repeat = type == BER_GETBULK ? (size_t)(b < 1 ? 1 : b > BULK_MAX ? BULK_MAX : b) : 1;
	while (ber_take(&list, BER_SEQUENCE, &varbind) && ber_take(&varbind, BER_OID, &name)) {
		struct record key = {.length = 0};
		key.length = ber_oid_value(name, key.name, NAME_MAX_);
		for (size_t n = 0; n < repeat && count < 128; n++) {
			struct cell *c = &cells[count++];
			*c = (struct cell){.name = key,
					   .found = find(&key, type == BER_GET),
					   .exception = type == BER_GET ? BER_NO_SUCH_INSTANCE : BER_END_OF_VIEW};
			if (!c->found)
				break;
			key = *c->found;
		}
	}
	size_t used = answer(&out, community, id, cells, count);
	*start = out.at;
	return used;
}

int main(int argc, char **argv)
{
	struct address address;
	struct sockaddr_storage at, from;
	uint8_t in[4096], room[65000], *start = room;

	if (argc != 3 || !address_parse(argv[1], 161, &address)) {
		fprintf(stderr, "usage: recorded ADDRESS:PORT FILE\n");
		return 2;
	}
	load(argv[2]);
	socklen_t size = address_to_sockaddr(&address, &at);
	int fd = socket(at.ss_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (void *)&at, size)) {
		perror("recorded");
		return 2;
	}
	for (;;) {
		socklen_t from_size = sizeof from;
		ssize_t n = recvfrom(fd, in, sizeof in, 0, (void *)&from, &from_size);
		size_t used = n > 0 ? serve((struct ber){in, in + n}, room, sizeof room, &start) : 0;
		if (used && sendto(fd, start, used, 0, (void *)&from, from_size) < 0)
			perror("recorded");
	}
}
