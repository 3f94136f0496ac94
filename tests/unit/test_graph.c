/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grapher: a request becomes a picture with the data in it, an empty range a picture that says so, a wrong request
 * a reason. */
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "rrd/cache.h"
#include "rrd/file.h"
#include "rrd/grapher/draw.h"
#include "rrd/grapher/fold.h"
#include "rrd/grapher/picture.h"
#include "tests/unit/unit.h"

#define BEGIN 1700000400
#define ROWS 120

static char directory[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

/* demo/g01/n001/snmp/base.rrd with a quiet "cpu", a rising "mem" and a "void" that is never known. */
static void make_files(void)
{
	static const char names[3][NAMES_SOURCE_SIZE] = {"cpu", "mem", "void"};
	static struct cached_row rows[ROWS];
	static double values[ROWS * 3];
	char path[200], why[160];
	struct file_series s = {.path = path, .step_s = 10, .count = 3, .names = names};
	struct file_state state = {.known = false};
	uint32_t written = 0;
	bool moved;

	text_copy(directory, sizeof directory, "/tmp/glory-test-graph-XXXXXX");
	if (!mkdtemp(directory))
		abort();
	text_format(path, sizeof path, "%s/demo/g01/n001/snmp/base.rrd", directory);
	for (int i = 0; i < ROWS; i++) {
		rows[i].time_s = BEGIN + i * 10;
		values[i * 3] = 5;
		values[i * 3 + 1] = i * 100.0 / ROWS;
		values[i * 3 + 2] = (double)NAN;
	}
	if (file_create(&s, BEGIN, &state, why, sizeof why) || file_look(&s, BEGIN, &state, &moved, why, sizeof why) ||
	    file_write(&s, &state, rows, values, ROWS, &written, why, sizeof why) || written != ROWS) {
		fprintf(stderr, "cannot make the test's files: %s\n", why);
		abort();
	}
	file_forget(&state);
}

static struct graph_line line(const char *node, const char *name)
{
	struct graph_line l = {.source = "snmp", .unit = "percent"};

	text_copy(l.site, sizeof l.site, "demo");
	text_copy(l.group, sizeof l.group, "g01");
	text_copy(l.node, sizeof l.node, node);
	text_copy(l.file, sizeof l.file, "base");
	text_copy(l.name, sizeof l.name, name);
	return l;
}

static struct graph_request request(const char *name)
{
	struct graph_request r = {.magic = GRAPH_MAGIC,
				  .format = GRAPH_PNG,
				  .from_s = BEGIN,
				  .to_s = BEGIN + ROWS * 10,
				  .line_count = 1,
				  .title = "n001"};

	r.lines[0] = line("n001", name);
	return r;
}

struct image {
	uint8_t *bytes;
	size_t size;
};

static struct image draw(struct graph_request *r)
{
	char why[200] = "";
	struct image i = {NULL, 0};

	i.bytes = draw_request(r, directory, &i.size, why, sizeof why);
	CU_ASSERT_STRING_EQUAL(why, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(i.bytes);
	return i;
}

static uint32_t big_endian(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool is_png(const struct image *i, uint32_t width, uint32_t height)
{
	static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

	return i->size > 1000 && memcmp(i->bytes, signature, 8) == 0 && big_endian(i->bytes + 16) == width &&
	       big_endian(i->bytes + 20) == height;
}

static bool contains(const struct image *i, const char *text)
{
	return memmem(i->bytes, i->size, text, strlen(text)) != NULL;
}

/* Strokes and fills of a colour in an SVG. */
static unsigned drawn_in(const struct image *i, const char *rgb_percent)
{
	unsigned n = 0;
	const uint8_t *at = i->bytes, *end = i->bytes + i->size;

	while ((at = memmem(at, (size_t)(end - at), rgb_percent, strlen(rgb_percent)))) {
		n++;
		at++;
	}
	return n;
}

static void a_png_of_the_size_asked_for(void)
{
	struct graph_request r = request("mem");
	struct image i = draw(&r);

	CU_ASSERT(is_png(&i, 800, 300));
	free(i.bytes);
	r.width = 640;
	r.height = 200;
	i = draw(&r);
	CU_ASSERT(is_png(&i, 640, 200));
	free(i.bytes);
}

static void data_is_really_drawn(void)
{
	struct graph_request r = request("mem"), quiet = request("cpu"), nothing = request("void");
	struct image full = draw(&r), other = draw(&quiet), empty = draw(&nothing);

	CU_ASSERT(full.size != empty.size || memcmp(full.bytes, empty.bytes, full.size) != 0);
	CU_ASSERT(full.size != other.size || memcmp(full.bytes, other.bytes, full.size) != 0);
	free(full.bytes);
	free(other.bytes);
	free(empty.bytes);
}

/* SVG can be read: the line's blue 0072B2 is there with data and not without. */
static void the_line_has_its_colour(void)
{
	static const char blue[] = "rgb(0%, 44.705882%, 69.803922%)", blue_older[] = "rgb(0%,44.705882%,69.803922%)";
	struct graph_request r = request("mem"), nothing = request("void");

	r.format = nothing.format = GRAPH_SVG;
	struct image full = draw(&r), empty = draw(&nothing);
	CU_ASSERT(contains(&full, "<svg"));
	CU_ASSERT(drawn_in(&full, blue) + drawn_in(&full, blue_older) >= 2); /* line and legend, and the band */
	CU_ASSERT_EQUAL(drawn_in(&empty, blue) + drawn_in(&empty, blue_older), 0);
	free(full.bytes);
	free(empty.bytes);
}

static void no_data_yet_is_a_picture(void)
{
	struct graph_request r = request("mem");
	struct picture p;
	enum picture_data present[GRAPH_LINES] = {PICTURE_NOTHING};
	bool said = false;

	r.lines[0] = line("n999", "mem"); /* no such file */
	struct image i = draw(&r);
	CU_ASSERT(is_png(&i, 800, 300));
	free(i.bytes);
	r = request("mem");
	r.from_s = BEGIN - 7200; /* before its first row */
	r.to_s = BEGIN - 3600;
	i = draw(&r);
	CU_ASSERT(is_png(&i, 800, 300));
	free(i.bytes);
	picture_build(&r, directory, present, &p);
	for (int k = 0; k < p.count; k++)
		said |= strstr(p.arguments[k], "(no data in this time)") != NULL;
	CU_ASSERT_TRUE(said);
	picture_free(&p);
}

static void many_lines_and_thresholds(void)
{
	struct graph_request r = request("cpu");
	char why[100];
	struct picture p;
	enum picture_data present[GRAPH_LINES];
	unsigned rules = 0;

	r.line_count = GRAPH_LINES;
	for (unsigned i = 0; i < GRAPH_LINES; i++) {
		present[i] = PICTURE_FILE;
		r.lines[i] = line("n001", i % 2 ? "cpu" : "mem");
		text_copy(r.lines[i].label, sizeof r.lines[i].label,
			  i == 3 ? "a:b\\c %s \xc3\xbc \xff" : "a label that is far longer than forty columns of it");
		r.lines[i].threshold_count = 2;
		r.lines[i].thresholds[0] = (struct graph_threshold){.value = 80, .level = LEVEL_WARNING};
		r.lines[i].thresholds[1] = (struct graph_threshold){.value = 90 + i, .level = LEVEL_CRITICAL};
	}
	CU_ASSERT_EQUAL(picture_check(&r, sizeof r, why, sizeof why), 0);
	picture_build(&r, directory, present, &p);
	for (int i = 0; i < p.count; i++)
		rules += strncmp(p.arguments[i], "HRULE:", 6) == 0;
	CU_ASSERT_EQUAL(rules, 1 + GRAPH_LINES); /* equal ones once */
	picture_free(&p);
	struct image i = draw(&r);
	CU_ASSERT(is_png(&i, 800, 300));
	free(i.bytes);
}

static void wrong_requests_have_a_reason(void)
{
	struct graph_request good = request("cpu"), r;
	char why[100];

	CU_ASSERT_EQUAL(picture_check(&good, sizeof good, why, sizeof why), 0);
	CU_ASSERT_EQUAL(picture_check(&good, sizeof good - 1, why, sizeof why), ERR_CONFIG);
	CU_ASSERT_EQUAL(picture_check(&good, sizeof good + 1, why, sizeof why), ERR_CONFIG);
#define WRONG(change)                                                                      \
	do {                                                                               \
		r = good;                                                                  \
		change;                                                                    \
		why[0] = 0;                                                                \
		CU_ASSERT_EQUAL(picture_check(&r, sizeof r, why, sizeof why), ERR_CONFIG); \
		CU_ASSERT(strlen(why) > 0);                                                \
	} while (0)
	WRONG(r.magic++);
	WRONG(r.format = 3);
	WRONG(r.to_s = r.from_s);
	WRONG(r.to_s = INT64_MAX);
	WRONG(r.from_s = -1);
	WRONG(r.width = 100000);
	WRONG(r.height = 1);
	WRONG(r.line_count = 0);
	WRONG(r.line_count = GRAPH_LINES + 1);
	WRONG(memset(r.title, 'x', sizeof r.title));
	WRONG(memset(r.lines[0].node, 'x', sizeof r.lines[0].node));
	WRONG(r.lines[0].name[0] = 0);
	WRONG(r.lines[0].threshold_count = GRAPH_THRESHOLDS + 1);
	WRONG(r.lines[0].threshold_count = 1); /* of level 0 */
	WRONG((r.lines[0].threshold_count = 1, r.lines[0].thresholds[0].level = LEVEL_WARNING,
	       r.lines[0].thresholds[0].value = INFINITY));
}

static void no_name_leads_out_of_the_tree(void)
{
	struct graph_line l = line("../../../etc", "cpu");
	char *file = picture_file(&l, "/r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_PTR_NULL(strstr(file, ".."));
	free(file);
	text_copy(l.source, sizeof l.source, "../x");
	CU_ASSERT_PTR_NULL(picture_file(&l, "/r"));
	l = line("n", "cpu");
	text_copy(l.file, sizeof l.file, "a/b:c");
	file = picture_file(&l, "/r");
	CU_ASSERT(strchr(file, ':') == NULL && strncmp(file, "/r/demo/g01/n/snmp/a_b_c_", 25) == 0);
	free(file);
}

/* --- several nodes, and the newest values ------------------------------------------------------------------- */
static struct graph_request *longer(const struct graph_request *r, uint32_t sources, uint32_t points, size_t *size)
{
	*size = sizeof *r + sources * sizeof(struct graph_source) + points * sizeof(struct graph_point);
	struct graph_request *l = mem_zalloc(*size);

	*l = *r;
	l->source_count = sources;
	l->point_count = points;
	return l;
}

/* Nodes m000 and up, "cpu" of node i is i. */
static void make_nodes(uint32_t count)
{
	static const char names[1][NAMES_SOURCE_SIZE] = {"cpu"};
	static struct cached_row rows[ROWS];
	static double values[ROWS];
	char path[200], why[160];

	for (uint32_t n = 0; n < count; n++) {
		struct file_series s = {.path = path, .step_s = 10, .count = 1, .names = names};
		struct file_state state = {.known = false};
		uint32_t written = 0;
		bool moved;
		text_format(path, sizeof path, "%s/demo/g02/m%03u/snmp/base.rrd", directory, n);
		for (int i = 0; i < ROWS; i++) {
			rows[i].time_s = BEGIN + i * 10;
			values[i] = n;
		}
		if (file_create(&s, BEGIN, &state, why, sizeof why) || file_look(&s, BEGIN, &state, &moved, why, sizeof why) ||
		    file_write(&s, &state, rows, values, ROWS, &written, why, sizeof why))
			abort();
		file_forget(&state);
	}
}

static struct graph_request *of_nodes(uint32_t count, enum graph_fold fold, size_t *size)
{
	struct graph_request r = request("cpu");

	r.lines[0].fold = fold;
	r.lines[0].source_count = count;
	struct graph_request *l = longer(&r, count, 0, size);
	for (uint32_t n = 0; n < count; n++) {
		struct graph_source *s = &graph_sources(l)[n];
		text_copy(s->group, sizeof s->group, "g02");
		text_format(s->node, sizeof s->node, "m%03u", n);
		text_copy(s->file, sizeof s->file, "base");
	}
	return l;
}

static double middle(const double *values, const struct folded *f)
{
	return values[f->rows / 2];
}

static void many_nodes_become_one_line(void)
{
	enum { NODES = 41 };
	static const struct {
		enum graph_fold fold;
		double mean, least, most;
	} wanted[] = {{GRAPH_SUM, 820, 820, 820}, {GRAPH_MEAN, 20, 0, 40}, {GRAPH_MEDIAN, 20, 0, 40}};
	char why[100];
	size_t size;

	make_nodes(NODES);
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		struct graph_request *r = of_nodes(NODES + 2, wanted[i].fold, &size); /* two have no file */
		struct folded f, top[GRAPH_TOP];
		uint32_t sources[GRAPH_TOP], count;
		CU_ASSERT_EQUAL_FATAL(picture_check(r, size, why, sizeof why), 0);
		CU_ASSERT_FATAL(fold_sources(r, 0, directory, &f, top, sources, &count));
		CU_ASSERT(fabs(middle(f.mean, &f) - wanted[i].mean) < 0.01);
		CU_ASSERT(fabs(middle(f.least, &f) - wanted[i].least) < 0.01);
		CU_ASSERT(fabs(middle(f.most, &f) - wanted[i].most) < 0.01);
		CU_ASSERT_EQUAL(count, GRAPH_TOP);
		for (uint32_t k = 0; k < count; k++) {
			CU_ASSERT_EQUAL(sources[k], NODES - 1 - k);
			CU_ASSERT(fabs(middle(top[k].mean, &top[k]) - (NODES - 1 - k)) < 0.01);
			folded_free(&top[k]);
		}
		folded_free(&f);
		struct image picture = draw(r);
		CU_ASSERT(is_png(&picture, 800, 300));
		free(picture.bytes);
		free(r);
	}
}

static void medians_name_the_highest(void)
{
	size_t size;
	struct graph_request *r = of_nodes(41, GRAPH_MEDIAN, &size);

	r->format = GRAPH_SVG;
	struct image i = draw(r), nothing;
	CU_ASSERT(drawn_in(&i, "44.705882%") >= 2);  /* the median's blue */
	CU_ASSERT(drawn_in(&i, "61.960784%") >= 1);  /* the second of the three: 009E73 */
	free(i.bytes);
	for (uint32_t n = 0; n < r->source_count; n++)
		text_copy(graph_sources(r)[n].node, sizeof graph_sources(r)[n].node, "gone");
	nothing = draw(r);
	CU_ASSERT(contains(&nothing, "<svg"));
	free(nothing.bytes);
	free(r);
}

/* The file says 5; memory says 50 for its last minute at 1 s, with one second of 90, and goes on for ten seconds behind the file. */
static void the_newest_values_stand_above_the_file(void)
{
	struct graph_request plain = request("cpu");
	struct folded f;
	char why[100];
	size_t size;

	plain.lines[0].point_count = 70;
	plain.to_s = BEGIN + ROWS * 10 + 10;
	struct graph_request *r = longer(&plain, 0, 70, &size);
	for (int k = 0; k < 70; k++)
		graph_points(r)[k] = (struct graph_point){(plain.to_s - 69 + k) * INT64_C(1000), k == 30 ? 90 : 50};
	CU_ASSERT_EQUAL_FATAL(picture_check(r, size, why, sizeof why), 0);
	CU_ASSERT_FATAL(fold_points(r, 0, directory, &f));
	CU_ASSERT_EQUAL(f.step_s, 1);
	CU_ASSERT(fabs(middle(f.mean, &f) - 5) < 0.01);
	CU_ASSERT_EQUAL(f.mean[f.rows - 1], 50);
	CU_ASSERT_EQUAL(f.most[f.rows - 1 - 39], 90);
	CU_ASSERT_EQUAL(f.mean[f.rows - 1 - 40], 50);
	folded_free(&f);
	struct image with = draw(r);
	plain.lines[0].point_count = 0;
	struct image without = draw(&plain);
	CU_ASSERT(is_png(&with, 800, 300));
	CU_ASSERT(with.size != without.size || memcmp(with.bytes, without.bytes, with.size) != 0);
	free(with.bytes);
	free(without.bytes);
	/* points of anybody: out of order, far away, unknown */
	for (int k = 0; k < 70; k++)
		graph_points(r)[k] = (struct graph_point){k % 3 ? INT64_MAX : k % 2 ? INT64_MIN : (BEGIN + 70 - k) * INT64_C(1000), k % 5 ? NAN : 1e300};
	with = draw(r);
	free(with.bytes);
	free(r);
}

static void parts_that_do_not_fit_have_a_reason(void)
{
	size_t size;
	struct graph_request *r = of_nodes(3, GRAPH_MEAN, &size), good = *r;
	char why[100];

	CU_ASSERT_EQUAL(picture_check(r, size, why, sizeof why), 0);
	CU_ASSERT_EQUAL(picture_check(r, size - 1, why, sizeof why), ERR_CONFIG);
#define WRONG_PART(change)                                                                  \
	do {                                                                               \
		*r = good;                                                                 \
		change;                                                                    \
		CU_ASSERT_EQUAL(picture_check(r, size, why, sizeof why), ERR_CONFIG);      \
	} while (0)
	WRONG_PART(r->source_count = 4);
	WRONG_PART(r->point_count = 1);
	WRONG_PART(r->source_count = UINT32_MAX);
	WRONG_PART(r->lines[0].source_first = 1);
	WRONG_PART(r->lines[0].source_first = UINT32_MAX);
	WRONG_PART(r->lines[0].source_count = 0);
	WRONG_PART(r->lines[0].fold = GRAPH_ONE);
	WRONG_PART(r->lines[0].fold = 9);
	WRONG_PART((r->lines[1] = r->lines[0], r->line_count = 2, r->lines[1].fold = GRAPH_MEDIAN));
	*r = good;
	memset(graph_sources(r)[2].node, 'x', sizeof graph_sources(r)[2].node);
	CU_ASSERT_EQUAL(picture_check(r, size, why, sizeof why), ERR_CONFIG);
	free(r);
}

static const struct unit_test tests[] = {
    {"a png of the size asked for", a_png_of_the_size_asked_for},
    {"data is really drawn", data_is_really_drawn},
    {"the line has its colour", the_line_has_its_colour},
    {"no data yet is a picture", no_data_yet_is_a_picture},
    {"many lines and thresholds", many_lines_and_thresholds},
    {"wrong requests have a reason", wrong_requests_have_a_reason},
    {"many nodes become one line", many_nodes_become_one_line},
    {"medians name the highest", medians_name_the_highest},
    {"the newest values stand above the file", the_newest_values_stand_above_the_file},
    {"parts that do not fit have a reason", parts_that_do_not_fit_have_a_reason},
    {"no name leads out of the tree", no_name_leads_out_of_the_tree},
};

#ifdef GLORY_SANITIZE
/* librrd, pango and fontconfig keep what they allocate for a picture; the grapher draws one and ends */
const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:librrd.so\nleak:libfontconfig.so\nleak:libpango\nleak:libcairo\n";
}

const char *__asan_default_options(void)
{
	return "fast_unwind_on_malloc=0";
}
#endif

int main(void)
{
	make_files();
	int status = unit_run("graph", tests, COUNT_OF(tests));
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return status;
}
