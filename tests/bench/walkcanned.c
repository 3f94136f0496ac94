/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prices the stock walking tool itself: answers GETNEXT and GETBULK over a table of ROWS x COLUMNS from varbinds
 * encoded once, so that what a walk of it costs is the tool's own work and the kernel's. With --bare it is the
 * bare handler over a sorted array that the agent is compared with: each cell is encoded when it is asked for. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/swarm/ber.h"

enum { MESSAGE_MAX = 65536, BASE_MAX = 32, GETNEXT = 0xa1, RESPONSE = 0xa2, GETBULK = 0xa5 };

struct table {
	unsigned rows, columns;
	uint32_t base[BASE_MAX];
	int base_count;
	uint8_t *data; /* all varbinds, column by column */
	size_t *at;    /* rows * columns + 1 offsets */
	size_t max_size;
	bool bare; /* cells are encoded when they are asked for, not beforehand */
	const char *community;
};

static const char usage[] =
	"usage: walkcanned [--rows N] [--columns N] [--port P] [--base OID] [--community C] [--max-size BYTES] [--bare]\n"
	"cell (c, r) is BASE.c.r; it listens on 127.0.0.1 until it is ended; --bare encodes each cell anew\n";

static size_t put_cell(const struct table *t, unsigned column, unsigned row, uint8_t *out)
{
	uint32_t ids[BASE_MAX + 2];
	uint8_t name[128], value[32], tag;
	size_t name_size, size;

	memcpy(ids, t->base, sizeof(t->base));
	ids[t->base_count] = column;
	ids[t->base_count + 1] = row;
	name_size = ber_put_oid(name, sizeof(name), ids, t->base_count + 2);
	if (column % 3 == 2) {
		tag = BER_OCTETS;
		size = (size_t)snprintf((char *)value, sizeof(value), "n%05u", row);
	} else {
		tag = column % 3 ? BER_INTEGER : BER_GAUGE32;
		size = ber_put_unsigned(value, (row * 7919u + column) % 100000);
	}
	memcpy(out, (uint8_t[]){BER_SEQUENCE, (uint8_t)(name_size + size + 4), BER_OID, (uint8_t)name_size}, 4);
	memcpy(out + 4, name, name_size);
	out[4 + name_size] = tag;
	out[5 + name_size] = (uint8_t)size;
	memcpy(out + 6 + name_size, value, size);
	return name_size + size + 6;
}

static bool build(struct table *t)
{
	size_t cells = (size_t)t->rows * t->columns, used = 0, n = 0;

	t->data = malloc(cells * 160);
	t->at = malloc((cells + 1) * sizeof(*t->at));
	if (!t->data || !t->at)
		return false;
	for (unsigned c = 1; c <= t->columns; c++)
		for (unsigned r = 1; r <= t->rows; r++) {
			t->at[n++] = used;
			used += put_cell(t, c, r, t->data + used);
		}
	t->at[n] = used;
	return true;
}

/* Number of the first cell after a name. */
static size_t cell_after(const struct table *t, const uint32_t *ids, int count)
{
	size_t cells = (size_t)t->rows * t->columns;
	int order = ber_oid_compare(ids, count < t->base_count ? count : t->base_count, t->base, t->base_count);
	uint32_t column, row;

	if (order != 0 || count <= t->base_count)
		return order > 0 ? cells : 0;
	column = ids[t->base_count];
	row = count > t->base_count + 1 ? ids[t->base_count + 1] : 0;
	if (column < 1)
		return 0;
	if (column > t->columns)
		return cells;
	return (size_t)(column - 1) * t->rows + (row < t->rows ? row : t->rows);
}

struct request {
	struct ber id, community, name;
	uint8_t type;
	int32_t repetitions;
};

/* Only the first name is walked on: that is what the tools ask. */
static bool read_request(const struct table *t, struct ber in, struct request *r)
{
	struct ber message, pdu, list, varbind;
	int32_t version, first;

	if (!ber_expect(&in, BER_SEQUENCE, &message) || !ber_take_int32(&message, &version) || version != 1 ||
	    !ber_expect(&message, BER_OCTETS, &r->community) || ber_left(r->community) != strlen(t->community) ||
	    memcmp(r->community.at, t->community, strlen(t->community)) != 0 || !ber_take(&message, &r->type, &pdu))
		return false;
	return (r->type == GETNEXT || r->type == GETBULK) && ber_expect(&pdu, BER_INTEGER, &r->id) &&
	       ber_take_int32(&pdu, &first) && ber_take_int32(&pdu, &r->repetitions) &&
	       ber_expect(&pdu, BER_SEQUENCE, &list) && ber_expect(&list, BER_SEQUENCE, &varbind) &&
	       ber_expect(&varbind, BER_OID, &r->name) && ber_left(r->id) <= 4;
}

/* The cells from `first` on as a plain handler over a sorted array makes them; returns their size. */
static size_t encode_cells(const struct table *t, size_t first, size_t count, uint8_t *out)
{
	size_t used = 0;

	for (size_t i = first; i < first + count && used < t->max_size - 160; i++)
		used += put_cell(t, (unsigned)(i / t->rows) + 1, (unsigned)(i % t->rows) + 1, out + used);
	return used;
}

/* Copies the cells and wraps them; returns where the message starts, its end in `*end`. */
static uint8_t *answer(const struct table *t, const struct request *r, uint8_t *room, uint8_t **end)
{
	size_t cells = (size_t)t->rows * t->columns, first, count, size;
	uint8_t *body = room + 256, *p;
	uint32_t ids[BER_OID_MAX];
	int n = ber_oid(r->name, ids, BER_OID_MAX);

	if (n < 0)
		return NULL;
	first = cell_after(t, ids, n);
	count = r->type == GETNEXT ? 1 : r->repetitions < 1 ? 1 : (size_t)r->repetitions;
	if (first == cells) {
		size = ber_left(r->name);
		memcpy(body, (uint8_t[]){BER_SEQUENCE, (uint8_t)(size + 4), BER_OID, (uint8_t)size}, 4);
		memcpy(body + 4, r->name.at, size);
		memcpy(body + 4 + size, (uint8_t[]){BER_END_OF_MIB_VIEW, 0}, 2);
		*end = body + size + 6;
	} else {
		count = count < cells - first ? count : cells - first;
		if (t->bare) {
			*end = body + encode_cells(t, first, count, body);
			goto wrap;
		}
		while (count > 1 && t->at[first + count] - t->at[first] > t->max_size - 80)
			count--;
		size = t->at[first + count] - t->at[first];
		memcpy(body, t->data + t->at[first], size);
		*end = body + size;
	}
wrap:
	p = ber_wrap(body, BER_SEQUENCE, (size_t)(*end - body)) - 6;
	memcpy(p, (uint8_t[]){BER_INTEGER, 1, 0, BER_INTEGER, 1, 0}, 6);
	p -= ber_left(r->id);
	memcpy(p, r->id.at, ber_left(r->id));
	p = ber_wrap(p, BER_INTEGER, ber_left(r->id));
	p = ber_wrap(p, RESPONSE, (size_t)(*end - p)) - ber_left(r->community);
	memcpy(p, r->community.at, ber_left(r->community));
	p = ber_wrap(p, BER_OCTETS, ber_left(r->community)) - 3;
	memcpy(p, (uint8_t[]){BER_INTEGER, 1, 1}, 3);
	return ber_wrap(p, BER_SEQUENCE, (size_t)(*end - p));
}

static int serve(const struct table *t, unsigned port)
{
	static uint8_t in[MESSAGE_MAX], out[MESSAGE_MAX + 1024];
	struct sockaddr_in self = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)port),
				   .sin_addr = {htonl(INADDR_LOOPBACK)}},
			   peer;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		fprintf(stderr, "walkcanned: cannot bind 127.0.0.1:%u: %s\n", port, strerror(errno));
		return 1;
	}
	printf("walkcanned: %u rows of %u columns are ready\n", t->rows, t->columns);
	fflush(stdout);
	for (;;) {
		socklen_t peer_size = sizeof(peer);
		ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&peer, &peer_size);
		struct request r;
		uint8_t *end, *p;
		if (n > 0 && read_request(t, ber_over(in, (size_t)n), &r) && (p = answer(t, &r, out, &end)))
			sendto(fd, p, (size_t)(end - p), 0, (struct sockaddr *)&peer, peer_size);
	}
}

static bool read_base(struct table *t, const char *text)
{
	char *end = NULL;

	for (t->base_count = 0; t->base_count < BASE_MAX; text = end + 1) {
		t->base[t->base_count++] = (uint32_t)strtoul(text, &end, 10);
		if (end == text || (*end && *end != '.'))
			return false;
		if (!*end)
			return t->base_count > 1;
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"rows", 1, NULL, 'r'},      {"columns", 1, NULL, 'c'},  {"port", 1, NULL, 'p'}, {"base", 1, NULL, 'b'},
	    {"community", 1, NULL, 'k'}, {"max-size", 1, NULL, 'z'}, {"bare", 0, NULL, 'e'}, {NULL, 0, NULL, 0}};
	struct table t = {.rows = 10000, .columns = 20, .max_size = 1472, .community = "lab"};
	unsigned port = 11161;
	bool good = read_base(&t, "1.3.6.1.4.1.32473.1.1.4.1.1");
	int o;

	while (good && (o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned v = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;
		switch (o) {
		case 'r':
			t.rows = v;
			break;
		case 'c':
			t.columns = v;
			break;
		case 'p':
			port = v;
			break;
		case 'b':
			good = read_base(&t, optarg);
			break;
		case 'k':
			t.community = optarg;
			break;
		case 'e':
			t.bare = true;
			break;
		case 'z':
			t.max_size = v;
			break;
		default:
			good = false;
		}
	}
	if (!good || optind != argc || t.rows < 1 || t.rows > 1000000 || t.columns < 1 || t.columns > 100 ||
	    t.max_size < 484 || t.max_size > 60000 || strlen(t.community) > 64 || !build(&t)) {
		fputs(usage, stderr);
		return 2;
	}
	return serve(&t, port);
}
