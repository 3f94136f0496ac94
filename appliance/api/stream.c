/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /v1/stream: rows as they change, as server-sent events. One record of every row's last change serves all streams;
 * each stream remembers how far it is. A stream that is slow gets each changed row once, as it is then: nothing piles
 * up. */
#include "api/routes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define PIECE 16384
#define HEARTBEAT_MS 15000

static const struct watched {
	enum board_table table;
	const char *event;
	const char *key; /* how a row that is gone is named: its number in the rows before */
	bool on_change;  /* head.last_change says what is worth telling; else every write does */
} watched[] = {
    {BOARD_CLUSTER, "site", NULL, true}, {BOARD_GROUP, "group", "index", true}, {BOARD_NODE, "node", "index", true},
    {BOARD_ALARM, "alarm", "id", false}, {BOARD_JOB, "job", "id", false},
    {BOARD_POOL, "pool", "index", true}, {BOARD_SERVICE, "service", "index", true}, {BOARD_MEMBER, "member", "index", true},
    {BOARD_BALANCER, "balancer", "index", true},
};
#define TABLES COUNT_OF(watched)

struct mark {                /* of a slot */
	uint32_t generation; /* 0: free */
	uint32_t sequence, pass;
	int64_t changed_wall_ms;
	uint64_t order;
	uint64_t serial; /* of the change seen last; 0 never */
};

static struct record {
	struct {
		struct mark *marks;
		uint32_t count;
		uint64_t version;
	} tables[TABLES];
	uint64_t serial, board_life;
	uint32_t pass;
} record;

static struct loop_timer *ticker; /* while streams are open */

struct stream {
	struct producer producer;
	uint64_t board_life;
	uint64_t sent, target; /* everything up to serial `sent` is told; being told: up to `target` */
	size_t table;          /* place in the present round */
	uint32_t slot;
	int64_t spoken_ms;
};

/* --- the record -------------------------------------------------------------------------------------- */

static struct mark *mark_of(size_t t, uint32_t slot)
{
	if (slot >= record.tables[t].count) {
		uint32_t count = slot + 256;
		record.tables[t].marks = mem_grow(record.tables[t].marks, count, sizeof(struct mark));
		for (uint32_t i = record.tables[t].count; i < count; i++)
			record.tables[t].marks[i] = (struct mark){0};
		record.tables[t].count = count;
	}
	return &record.tables[t].marks[slot];
}

/* Notes a row; true when it is news. */
static bool note(size_t t, const struct board_reader *board, uint32_t slot)
{
	enum board_table table = watched[t].table;
	uint32_t sequence = board_row_sequence(board, table, slot);
	struct row_head head, copy;

	if (board_read_field(board, table, slot, 0, sizeof copy, &head, &copy))
		return false;
	struct mark *m = mark_of(t, slot);
	bool news = m->generation != head.generation ||
		    (watched[t].on_change ? m->changed_wall_ms != head.last_change_wall_ms : m->sequence != sequence);
	*m = (struct mark){.generation = head.generation,
			   .sequence = sequence,
			   .pass = record.pass,
			   .changed_wall_ms = head.last_change_wall_ms,
			   .order = head.order,
			   .serial = news ? record.serial : m->serial};
	return news;
}

static bool note_table(size_t t, const struct board_reader *board)
{
	uint64_t version = watched[t].on_change ? board_news(board, watched[t].table) : board_version(board, watched[t].table);
	uint32_t count = board_count(board, watched[t].table);
	bool news = false;

	if (version == record.tables[t].version)
		return false;
	record.tables[t].version = version;
	record.pass++;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = board_at(board, watched[t].table, i);
		news |= slot != NO_SLOT && note(t, board, slot);
	}
	for (uint32_t slot = 0; slot < record.tables[t].count; slot++) {
		struct mark *m = &record.tables[t].marks[slot];
		struct row_head head, copy;
		if (m->generation == 0 || m->pass == record.pass ||
		    board_read_field(board, watched[t].table, slot, 0, sizeof copy, &head, &copy) != ERR_NOT_FOUND)
			continue;
		m->generation = 0;
		m->serial = record.serial;
		news = true;
	}
	return news;
}

static void forget(uint64_t board_life)
{
	for (size_t t = 0; t < TABLES; t++) {
		free(record.tables[t].marks);
		record.tables[t].marks = NULL;
		record.tables[t].count = 0;
		record.tables[t].version = 0;
	}
	record.board_life = board_life;
}

static int64_t tick_now_ms;

static void tell(struct request *r)
{
	struct stream *s = (struct stream *)r->producer;

	if (s && (s->sent < record.serial || s->board_life != record.board_life ||
		  tick_now_ms - s->spoken_ms >= HEARTBEAT_MS))
		request_wake(r);
}

static void look(struct server *server)
{
	const struct board_reader *board = server_get_board(server);
	bool news = false;

	if (record.board_life != server_board_life(server))
		forget(server_board_life(server));
	record.serial++;
	for (size_t t = 0; board && t < TABLES; t++)
		news |= note_table(t, board);
	if (!news)
		record.serial--; /* nothing bears this number */
}

static void on_tick(void *arg)
{
	struct server *server = arg;

	if (!server_has_streams(server)) {
		stream_end();
		return;
	}
	look(server);
	tick_now_ms = clock_mono_ms();
	server_each_stream(server, tell);
}

void stream_end(void)
{
	loop_timer_free(ticker);
	ticker = NULL;
}

/* --- one stream -------------------------------------------------------------------------------------- */

static void say_row(struct emit *out, size_t t, const struct board_reader *board, uint32_t slot, const struct mark *m)
{
	union any_row row;

	out->comma = false;
	if (m->generation && board_read(board, watched[t].table, slot, &row) == 0) {
		emit_text(out, "event: %s\ndata: ", watched[t].event);
		columns_emit_row(out, board, watched[t].table, &row);
	} else if (m->generation == 0 && watched[t].key) {
		uint64_t number = watched[t].on_change ? (uint64_t)slot + 1 : m->order;
		emit_text(out, "event: %s-gone\ndata: {\"%s\":%llu}", watched[t].event, watched[t].key,
			  (unsigned long long)number);
	} else {
		return;
	}
	emit_text(out, "\n\n");
}

/* What stands between `sent` and `target`, from where the last piece ended. */
static void say_changes(struct stream *s, const struct board_reader *board)
{
	for (; s->table < TABLES; s->table++, s->slot = 0)
		for (; s->slot < record.tables[s->table].count; s->slot++) {
			const struct mark *m = &record.tables[s->table].marks[s->slot];
			if (s->producer.out.used >= PIECE)
				return;
			if (m->serial > s->sent)
				say_row(&s->producer.out, s->table, board, s->slot, m);
		}
	s->sent = s->target;
}

static void more(struct producer *p, struct request *r)
{
	struct stream *s = (struct stream *)p;
	int64_t now = clock_mono_ms();

	if (s->board_life != server_board_life(r->server)) {
		p->done = true; /* the client connects again and finds the new picture */
		return;
	}
	if (s->sent == s->target && s->target < record.serial) {
		s->target = record.serial;
		s->table = 0;
		s->slot = 0;
	}
	if (s->sent < s->target)
		say_changes(s, server_get_board(r->server));
	if (p->out.used == 0 && now - s->spoken_ms >= HEARTBEAT_MS)
		emit_text(&p->out, ": still here\n\n");
	if (p->out.used)
		s->spoken_ms = now;
	p->idle = p->out.used == 0;
}

static void free_stream(struct producer *p)
{
	free(p);
}

void stream_run(struct request *r, const struct route *route)
{
	(void)route;
	if (!request_board(r))
		return;
	look(r->server); /* what stands there now is no news */
	struct stream *s = mem_zalloc(sizeof *s);
	s->producer = (struct producer){.more = more, .free = free_stream};
	s->board_life = server_board_life(r->server);
	s->sent = s->target = record.serial; /* what is now is read from the lists */
	s->spoken_ms = clock_mono_ms();
	emit_text(&s->producer.out, ": rows as they change\nretry: 2000\n\n");
	request_produce(r, "text/event-stream", &s->producer);
	if (!ticker) {
		ticker = loop_timer_new(server_loop(r->server), on_tick, r->server);
		loop_timer_every(ticker, STREAM_TICK_MS);
	}
}
